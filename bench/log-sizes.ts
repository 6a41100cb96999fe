import type { Scale } from './benchmark.ts';

const GIVEN = Number(process.env['BENCH_EVENTS'] ?? 0);
const given = (events: number): number => (GIVEN > 0 ? GIVEN : events);

/** Events in the logs that `query`, `start`, `memory.journal` and `append.growth` are about; `BENCH_EVENTS` beats them. */
export const LARGE_LOG: Readonly<Record<Scale, number>> = {
  full: given(10_000_000),
  quick: given(1_000_000),
  smoke: 4_000,
};
export const SMALL_LOG: Readonly<Record<Scale, number>> = { full: 1_000_000, quick: 100_000, smoke: 400 };
