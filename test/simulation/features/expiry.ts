import type { RunFeature } from './feature.ts';

/** Some events expire: they may end without a delivery, and after their time no attempt begins. */
export const expiry: RunFeature = (chance, plan) => {
  if (!chance.happens(0.2)) return undefined;
  const share = chance.pick([0.1, 0.5]);
  const lifeMs = chance.pick([50, 2_000, 60_000]);
  // Whether an event had expired is told by the wall clock, of which nothing can be said while it jumps.
  const isSteady = plan.faults.every((fault) => fault.kind !== 'clock-jump');
  return {
    ...{ share, lifeMs, isSteady },
    metadata: (draw, _event, { time }) =>
      draw.happens(share) ? { expiresAt: time.wallMs() + draw.integer(lifeMs) } : undefined,
    isOptional: (metadata) => metadata?.expiresAt !== undefined,
  };
};
