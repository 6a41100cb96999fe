import type { RunFeature } from './feature.ts';

/** A retry that was claimed in time waits for its commit before it begins. */
const SLACK_MS = 5_000;

/** Some events expire: they may end without a delivery, and after their time no attempt begins. */
export const expiry: RunFeature = (chance, plan) => {
  if (!chance.happens(0.2)) return undefined;
  const share = chance.pick([0.1, 0.5]);
  const lifeMs = chance.pick([50, 2_000, 60_000]);
  // Whether an event has expired is told by the wall clock, of which nothing can be said while it jumps.
  const isSteady = plan.faults.every((fault) => fault.kind !== 'clock-jump');
  return {
    ...{ share, lifeMs },
    metadata: (draw, { time }) =>
      draw.happens(share) ? { expiresAt: time.wallMs() + draw.integer(lifeMs) } : undefined,
    isOptional: (metadata) => metadata?.expiresAt !== undefined,
    delivered({ id, metadata }, { time, violation }) {
      const lateMs = time.wallMs() - (metadata.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
      if (isSteady && lateMs > SLACK_MS) violation(`C2 ${id} was attempted ${lateMs} ms after it expired`);
    },
  };
};
