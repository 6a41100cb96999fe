import { type Bench, sized } from './benchmark.ts';
import { median } from './statistics.ts';

export interface Compared {
  readonly value: number;
  readonly limit: number;
  readonly ratio: number;
}

/**
 * Measures two things in turn, so that whatever else happens on the machine falls on both, and takes medians. The first
 * round of each is thrown away: it pays for compilation and for growing heaps and files.
 */
export async function alternate(
  bench: Bench,
  subject: () => Promise<number>,
  limit: () => Promise<number>,
): Promise<Compared> {
  const rounds = sized(bench, { full: 5, quick: 3, smoke: 1 });
  const subjects: number[] = [];
  const limits: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const limited = await limit();
    const reached = await subject();
    if (round === 0) continue;
    limits.push(limited);
    subjects.push(reached);
  }
  const value = median(subjects);
  const bound = median(limits);
  return { value, limit: bound, ratio: value / bound };
}
