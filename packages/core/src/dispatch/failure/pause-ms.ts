import { delayBeforeRetryMs } from '../../retry/retry-policy.ts';
import type { Chance } from '../../runtime/chance.ts';
import type { ActiveSubscription } from '../active-subscription.ts';

/** A policy without delays must not make a loop of asking and being sent away. */
const PAUSE_MS_MIN = 1_000;
/** What waits longer is better looked at by a person. */
const PAUSE_MS_MAX = 7 * 24 * 60 * 60 * 1_000;

/**
 * How long the whole subscription waits for a receiver that asked for it: as long as it says, or, when it does not say, by the
 * retry policy, longer each time.
 */
export function pauseMs(subscription: ActiveSubscription, afterMs: number | undefined, chance: Chance): number {
  if (afterMs !== undefined) return Math.min(afterMs, PAUSE_MS_MAX);
  const { retry } = subscription.definition.options;
  const pauses = Math.max(1, subscription.receiver?.pausesInARow ?? 1);
  return Math.max(PAUSE_MS_MIN, delayBeforeRetryMs(retry, pauses, chance));
}
