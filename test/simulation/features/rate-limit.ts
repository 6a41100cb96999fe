import { mostInWindow } from '@event-manager/testing';
import { longestWayMs } from '../longest-way.ts';
import type { Feature } from './feature.ts';

const MINUTE_MS = 60_000;

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
      const windowMs = MINUTE_MS - longestWayMs(plan, engines);
      const most = mostInWindow(times, windowMs);
      return most <= limit ? [] : [`D7 ${subscription} got ${most} within ${windowMs} ms, allowed ${limit}`];
    },
  };
};
