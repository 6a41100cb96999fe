import type { JsonObject } from '../json.ts';

/**
 * Which life of a delivery this is, for a receiver that remembers what it answered: a reset and a redrive ask for another answer,
 * a delivery whose answer was lost asks for the same. `undefined` for the first life, which is nearly all of them.
 */
export function lifeOf(resets: number, round: number): string | undefined {
  return resets === 0 && round === 0 ? undefined : `${resets}.${round}`;
}

/** How often a subscription with this progress was reset. */
export function resetsIn(progress: JsonObject | undefined): number {
  return (progress?.['resets'] as number | undefined) ?? 0;
}

/** The round in which its deliveries begin. */
export function firstRoundIn(progress: JsonObject | undefined): number {
  return (progress?.['firstRound'] as number | undefined) ?? 0;
}
