import { ANONYMOUS, type JsonObject } from '@event-manager/core';
import type { Feature } from './feature.ts';

/** The definition changes meanwhile: what every version of it wants must come, what none of them wants must not. */
export const update: Feature = (chance, subscription) => {
  // A handler comes back with the definition that its program says.
  if (subscription.via !== 'webhook' || !chance.happens(0.2)) return undefined;
  const variants = Array.from({ length: 1 + chance.integer(2) }, () => ({
    topic: chance.pick([subscription.topic, '#', 'a.*']),
    minimumPriority: chance.pick([subscription.minimumPriority, 3, 2]),
  }));
  const changes = variants.map(({ topic, minimumPriority }): JsonObject => {
    const options = { maxConcurrency: chance.pick([1, 4]), priority: minimumPriority ?? 3 };
    return { topic, options };
  });
  const updates = changes.map((change) => ({ afterMs: chance.integer(5_000), change }));
  return {
    ...{ updates },
    variants,
    live({ id, time, operate }) {
      for (const { afterMs, change } of updates) {
        time.after(afterMs, () => void operate((engine) => engine.subscriptions.update(ANONYMOUS, id, change)));
      }
    },
  };
};
