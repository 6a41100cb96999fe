// One member of a group, as a program of its own: `group-worker.ts URL` writes a line for each event that it handled.
import { writeSync } from 'node:fs';
import { EventManagerClient } from '@event-manager/client';

const [url] = process.argv.slice(2);
const events = new EventManagerClient(url!);
await events.subscribe({
  name: 'workers',
  topic: 'load.*',
  options: { maxConcurrency: 16, retryPolicy: { maxRetries: 0 } },
  async handler({ payload }, { attempt }) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    // At once: what a killed process still held would count as never handled.
    writeSync(1, `${JSON.stringify({ number: payload['number'], attempt })}\n`);
  },
});
writeSync(1, '{"ready":true}\n');
