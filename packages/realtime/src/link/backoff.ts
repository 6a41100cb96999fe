import type { Chance } from '@event-manager/core';

const FIRST_MS = 15;
const LONGEST_MS = 5_000;

/**
 * How long to wait before the next try, after `tries` that failed. The first five come within half a second of a loss, so that
 * whoever waits for them to be used up waits less than one; later ones every few seconds, since a peer that comes back
 * should be found soon. Half of it is chance: many subscriptions that lost one peer do not come back in step.
 */
export function backoffMs(tries: number, chance: Chance): number {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 20));
  return ceilingMs * (0.5 + chance.fraction() / 2);
}
