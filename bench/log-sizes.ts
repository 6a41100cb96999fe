import type { Scale } from './benchmark.ts';

/** Events in the logs that `query`, `start`, `memory.journal` and `append.growth` are about. */
export const LARGE_LOG: Readonly<Record<Scale, number>> = { full: 10_000_000, quick: 1_000_000, smoke: 4_000 };
export const SMALL_LOG: Readonly<Record<Scale, number>> = { full: 1_000_000, quick: 100_000, smoke: 400 };
