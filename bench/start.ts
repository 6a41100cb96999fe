import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { LARGE_LOG } from './log-sizes.ts';
import { type OpenedJournal, openedJournal } from './opened-journal.ts';
import { preparedJournal } from './prepared-journal.ts';
import { sampleEvent, topicOf } from './sample-events.ts';
import { median } from './statistics.ts';

const ROUNDS = 5;
const START_MS_MAX = 2_000;

/** Opening the large log with the progress of a thousand named subscriptions, each time in a fresh process. */
export async function start(bench: Bench): Promise<Measured> {
  const directory = await preparedJournal(bench, sized(bench, LARGE_LOG));
  const subscriptions = sized(bench, { full: 1_000, quick: 1_000, smoke: 20 });
  await makeProgress(directory, subscriptions);
  const rounds: OpenedJournal[] = [];
  // The first one brings the files into the page cache.
  for (let round = 0; round <= ROUNDS; round++) {
    const opened = await openedJournal(directory);
    if (round > 0) rounds.push(opened);
  }
  const value = median(rounds.map((opened) => opened.openMs));
  const { head, subscriptions: found } = rounds[0]!;
  if (found !== subscriptions) throw new RangeError(`${found} of ${subscriptions} subscriptions were restored.`);
  return {
    value,
    unit: 'ms',
    ok: value <= START_MS_MAX,
    note: `${head} events, ${found} named subscriptions, clean stop, warm cache, fresh process; median of ${ROUNDS}`,
    details: { slowest: Math.max(...rounds.map((opened) => opened.openMs)) },
  };
}

/** Every subscription is delivered something, so that each has a record of its progress. */
async function makeProgress(directory: string, subscriptions: number): Promise<void> {
  const bus = new EventManager({ adapter: journal({ directory }) });
  await Promise.all(
    Array.from({ length: subscriptions }, (_, index) =>
      bus.subscribe({ topic: topicOf(index), name: `start-${index}`, handler: () => {} }),
    ),
  );
  await bus.publishBatch(Array.from({ length: subscriptions }, (_, index) => sampleEvent(index)));
  await bus.settled();
  await bus.close();
}
