import type { SubscriptionPlan } from './plan.ts';

/** How long a delivery that was handed to a member at another process may be begun there. */
const BEGUN_WITHIN_MS = 2_000;

/** From where an attempt is begun to where it is seen: at another process, unless a webhook is called by whoever serves it. */
export function longestWayMs({ via, timeoutMs }: Pick<SubscriptionPlan, 'via' | 'timeoutMs'>, engines: number): number {
  if (engines === 1 || via === 'webhook') return 0;
  // A lease that is over is handed to nobody.
  return via === 'pull' ? timeoutMs : Math.min(BEGUN_WITHIN_MS, timeoutMs / 2);
}
