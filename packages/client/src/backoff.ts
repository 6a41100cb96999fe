import type { Chance } from '@event-manager/core/portable';

const FIRST_MS = 50;
const LONGEST_MS = 5_000;

/**
 * How long to wait before try number `tries` + 1 (after `tries` ≥ 1 failures): it doubles, and half of it is chance, so that
 * the clients of a service that was restarted do not come back in step.
 */
export function backoffMs(tries: number, chance: Chance): number {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries - 1, 20));
  return ceilingMs * (0.5 + chance.fraction() / 2);
}
