import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { inFlight } from './in-flight.ts';
import { LARGE_LOG, SMALL_LOG } from './log-sizes.ts';
import { preparedJournal } from './prepared-journal.ts';
import { alternate } from './rounds.ts';
import { sampleEvent } from './sample-events.ts';

const WINDOW = 512;
const RATIO_MIN = 0.9;

/** Whether appending slows down as the log grows: the rate on the large log against that on the small one. */
export async function appendGrowth(bench: Bench): Promise<Measured> {
  const large = await preparedJournal(bench, sized(bench, LARGE_LOG));
  const small = await preparedJournal(bench, sized(bench, SMALL_LOG));
  const count = sized(bench, { full: 200_000, quick: 50_000, smoke: 300 });
  const compared = await alternate(
    bench,
    () => appendRate(large, count),
    () => appendRate(small, count),
  );
  return {
    ...compared,
    unit: 'events/s',
    ok: compared.ratio >= RATIO_MIN,
    note: 'limit: the same on a tenth of the log; each round opens the journal, publishes and closes it',
  };
}

async function appendRate(directory: string, count: number): Promise<number> {
  const bus = new EventManager({ adapter: journal({ directory }) });
  await bus.getHealth();
  const { perSecond } = await inFlight({
    count,
    window: WINDOW,
    call: (index) => bus.publish(sampleEvent(index)),
  });
  await bus.close();
  return perSecond;
}
