import { ANONYMOUS } from '@event-manager/core';
import type { Feature } from './feature.ts';

export const USERS = ['u1', 'u2', 'u3'];

/** Whom the subscriber works for changes meanwhile: what is relevant at all times must come, what never is must not. */
export const relevance: Feature = (chance, subscription) => {
  if (!chance.happens(0.15)) return undefined;
  const contexts = Array.from({ length: 1 + chance.integer(2) }, () => ({
    afterMs: chance.integer(5_000),
    userIds: USERS.filter(() => chance.happens(0.6)),
  }));
  return {
    request: { subscriber: subscription.name, filter: { userRelevant: true } },
    // Until the first context is registered everybody is relevant.
    relevantTo: [USERS, ...contexts.map(({ userIds }) => userIds)],
    live({ time, operate, plan }) {
      for (const { afterMs, userIds } of contexts) {
        time.after(afterMs, () => {
          void operate((engine) => engine.contexts.register(ANONYMOUS, plan.name, { userIds }));
        });
      }
    },
  };
};
