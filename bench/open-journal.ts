// Opens a journal in a process that has done nothing else and prints what that took as JSON:
// `open-journal.ts DIRECTORY LOOK_UPS PUBLISHES`.
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { inFlight } from './in-flight.ts';
import type { OpenedJournal } from './opened-journal.ts';
import { sampleEvent } from './sample-events.ts';

const LOOK_UPS_AT_ONCE = 16;
const PUBLISHES_AT_ONCE = 512;

const [directory, lookUps, publishes] = process.argv.slice(2) as [string, string, string];
const adapter = journal({ directory });
const bus = new EventManager({ adapter });
const startedMs = performance.now();
const { head, subscriptions } = await bus.getHealth();
const openMs = performance.now() - startedMs;
const openedBytes = process.memoryUsage.rss();
await inFlight({ count: Number(lookUps), window: LOOK_UPS_AT_ONCE, call: lookUp });
const lookedUpBytes = process.memoryUsage.rss();
await inFlight({
  count: Number(publishes),
  window: PUBLISHES_AT_ONCE,
  call: (index) => bus.publish(sampleEvent(index)),
});
const publishedBytes = process.memoryUsage.rss();
const opened: OpenedJournal = { head, subscriptions, openMs, openedBytes, lookedUpBytes, publishedBytes };
await bus.close();
console.log(JSON.stringify(opened));

async function lookUp(): Promise<void> {
  const position = 1 + Math.floor(Math.random() * head);
  const [record] = await adapter.store.get([{ partition: 0, position }]);
  if (record) await bus.getEvent(record.id);
}
