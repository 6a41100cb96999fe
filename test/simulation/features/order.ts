import type { Feature } from './feature.ts';

/** The events of one topic or key come one after the other, through failures, overflow and restarts. */
export const order: Feature = (chance) => {
  if (!chance.happens(0.35)) return undefined;
  const by = chance.pick(['topic', 'key'] as const);
  const onFailure = chance.pick(['block', 'block', 'skip'] as const);
  return { options: { order: by, onFailure }, order: { by, onFailure } };
};
