/**
 * A program with an embedded event manager on a journal, for tests that take the disk away under it.
 *
 *     power-loss-writer.ts write DIRECTORY HISTORY    publishes and receives until it is killed or its disk is gone
 *     power-loss-writer.ts drain DIRECTORY HISTORY    receives what is still owed, reads the whole log, and ends
 *
 * The history lies on another disk. In `PLANTED` a known mistake can be switched on, to see that the test finds it.
 */
import { decodeCursor, EventManager, type PlantedBug, systemRuntime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { HistoryFile } from '@event-manager/testing';
import { digest } from '../../../examples/github-demo/digest.ts';

const IN_FLIGHT = 64;
const PAGE = 1_000;
const TELL_EVERY = 100;

const [mode, directory, historyPath] = process.argv.slice(2) as [string, string, string];
const planted = new Set((process.env['PLANTED'] ?? '').split(',').filter(Boolean) as PlantedBug[]);
const runtime = { ...systemRuntime, planted };
const history = new HistoryFile(historyPath);
let count = 0;
const events = new EventManager({ runtime, adapter: journal({ directory, runtime, segmentBytesMax: 4 << 20 }) });

await events.subscribe({
  name: 'audit',
  topic: '#',
  handler({ id, payload }, { attempt }) {
    history.add({ kind: 'deliver', subscription: 'audit', id, attempt, digest: digest(payload) });
  },
});
if (mode === 'drain') await drain();
else await Promise.all(Array.from({ length: IN_FLIGHT }, (_, client) => publish(`client-${client}`)));

async function publish(client: string): Promise<void> {
  for (let number = 0; ; number++) {
    const id = crypto.randomUUID();
    const payload = { client, number, padding: 'x'.repeat(300) };
    history.add({ kind: 'invoke', client, id, digest: digest(payload) });
    const { cursor } = await events.publish({ id, type: 'load.event', source: client, payload });
    history.add({ kind: 'ok', id, position: decodeCursor(cursor)[0]!.position });
    acknowledged();
  }
}

/** The parent decides by this when to cut. */
function acknowledged(): void {
  count++;
  if (count % TELL_EVERY === 0) process.stdout.write(`${count}\n`);
}

async function drain(): Promise<void> {
  await events.settled();
  let cursor: string | undefined;
  do {
    const page = await events.getEvents({}, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id, payload } of page) {
      history.add({ kind: 'deliver', subscription: 'log', id, digest: digest(payload) });
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  await events.close();
}
