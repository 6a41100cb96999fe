import { journal } from '@event-manager/journal';
import { sampleAppendable } from './sample-events.ts';

const EVENTS_PER_APPEND = 1_000;

/** Makes a journal with `count` sample events. Past the engine, straight to the store: the log is the same in half the time. */
export async function fillJournal(directory: string, count: number): Promise<void> {
  const adapter = journal({ directory });
  await adapter.open();
  let under: Promise<unknown> = Promise.resolve();
  for (let from = 0; from < count; from += EVENTS_PER_APPEND) {
    const nowMs = Date.now();
    const size = Math.min(EVENTS_PER_APPEND, count - from);
    const events = Array.from({ length: size }, (_, offset) => sampleAppendable(from + offset, count, nowMs));
    // The next events are made while the last ones are synced.
    await under;
    under = adapter.store.append(events);
  }
  await under;
  await adapter.close();
}
