import type { Feature } from './feature.ts';

/** So many attempts a minute and never more, whatever restarts in between. */
export const rateLimit: Feature = (chance, _subscription, { engines }) => {
  if (!chance.happens(0.12)) return undefined;
  const limit = chance.pick([12, 30]);
  return {
    options: { rateLimitPerMinute: limit },
    judge: ({ subscription, mostInMinute }, { plan }) => {
      // Counted where it is handed out: what travels to another process may arrive closer to what follows.
      const allowed = engines > 1 && plan.via !== 'webhook' ? limit * 1.5 : limit;
      return mostInMinute <= allowed
        ? []
        : [`D7 ${subscription} got ${mostInMinute} within a minute, allowed ${limit}`];
    },
  };
};
