/**
 * An application that receives in real time and is killed for it. `dialled` accepts what the service connects to on a port;
 * `attached` connects to the service and attaches to a name. It prints a line for each event before it answers for it.
 */
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { EventManagerClient } from '@event-manager/client';
import type { DeliveryContext, Event } from '@event-manager/core';
import { receiveRealtime } from '@event-manager/realtime';

const [, , way, target, secretOrFallback] = process.argv;

/** Written at once: what a killed process still held would count as never received. */
function take({ id, payload }: Event, { attempt }: DeliveryContext): void {
  writeSync(1, `${JSON.stringify({ id, attempt, payload })}\n`);
}

if (way === 'dialled') {
  const server = createServer();
  receiveRealtime(server, { secrets: [secretOrFallback!], path: '/events/realtime', handler: take });
  server.listen(Number(target), '127.0.0.1', () => writeSync(1, '{"ready":true}\n'));
} else {
  const events = new EventManagerClient(target!);
  await events.subscribe({
    name: 'realtime',
    topic: 'load.*',
    handler: take,
    realtime: true,
    fallbackWebhook: secretOrFallback!,
  });
  writeSync(1, '{"ready":true}\n');
}
