import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { LARGE_LOG } from './log-sizes.ts';
import { measureQueries } from './measure-queries.ts';
import { preparedJournal } from './prepared-journal.ts';

/** Pages of a hundred over the large log, on the journal. */
export async function query(bench: Bench): Promise<Measured> {
  const directory = await preparedJournal(bench, sized(bench, LARGE_LOG));
  return measureQueries(bench, journal({ directory }));
}
