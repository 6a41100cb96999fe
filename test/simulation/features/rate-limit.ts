import { mostInWindow } from '@event-manager/testing';
import type { SubscriptionPlan } from '../plan.ts';
import type { Feature } from './feature.ts';

const MINUTE_MS = 60_000;
/** How long a delivery that was handed to a member at another process may be begun there. */
const BEGUN_WITHIN_MS = 2_000;

/** So many attempts a minute and never more, whatever restarts in between. */
export const rateLimit: Feature = (chance, _subscription, { engines }) => {
  if (!chance.happens(0.12)) return undefined;
  const limit = chance.pick([12, 30]);
  return {
    options: { rateLimitPerMinute: limit },
    judge: ({ subscription }, { plan, history }) => {
      const times = history.flatMap((entry) =>
        entry.kind === 'deliver' && entry.subscription === subscription ? [entry.atMs!] : [],
      );
      // Whoever serves it begins no more than the limit in a minute. What it begins is seen as much later as it travels, so
      // what is seen in a minute without the longest way was begun within a minute.
      const windowMs = MINUTE_MS - (engines > 1 ? longestWayMs(plan) : 0);
      const most = mostInWindow(times, windowMs);
      return most <= limit ? [] : [`D7 ${subscription} got ${most} within ${windowMs} ms, allowed ${limit}`];
    },
  };
};

/** From where an attempt is begun to where it is seen: at another process, unless a webhook is called by whoever serves it. */
function longestWayMs({ via, timeoutMs }: SubscriptionPlan): number {
  if (via === 'webhook') return 0;
  // A lease that is over is handed to nobody.
  return via === 'pull' ? timeoutMs : Math.min(BEGUN_WITHIN_MS, timeoutMs / 2);
}
