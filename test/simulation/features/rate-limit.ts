import type { Feature } from './feature.ts';

/** So many attempts a minute and never more, whatever restarts in between. */
export const rateLimit: Feature = (chance) => {
  if (!chance.happens(0.12)) return undefined;
  const limit = chance.pick([12, 30]);
  return {
    options: { rateLimitPerMinute: limit },
    judge: ({ subscription, mostInMinute }) =>
      mostInMinute <= limit ? [] : [`D7 ${subscription} got ${mostInMinute} within a minute, allowed ${limit}`],
  };
};
