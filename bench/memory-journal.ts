import { type Bench, type Measured, sized } from './benchmark.ts';
import { LARGE_LOG } from './log-sizes.ts';
import { openedJournal } from './opened-journal.ts';
import { preparedJournal } from './prepared-journal.ts';

const MIB = 2 ** 20;
const RESIDENT_MIB_MAX = 300;

/** Resident memory of a process on the large log: opened, after many look-ups by id, and after publishing. */
export async function memoryJournal(bench: Bench): Promise<Measured> {
  const directory = await preparedJournal(bench, sized(bench, LARGE_LOG));
  const work = {
    lookUps: sized(bench, { full: 50_000, quick: 10_000, smoke: 20 }),
    publishes: sized(bench, { full: 100_000, quick: 20_000, smoke: 100 }),
  };
  const { head, openedBytes, lookedUpBytes, publishedBytes } = await openedJournal(directory, work);
  const value = Math.max(openedBytes, lookedUpBytes, publishedBytes) / MIB;
  return {
    value,
    unit: 'MiB',
    ok: value <= RESIDENT_MIB_MAX,
    note: `resident memory with ${head} events: the most of opened, ${work.lookUps} look-ups by id, ${work.publishes} publishes`,
    details: {
      openedMiB: openedBytes / MIB,
      lookedUpMiB: lookedUpBytes / MIB,
      publishedMiB: publishedBytes / MIB,
    },
  };
}
