import type { Feature } from './feature.ts';

/** Batches that wait for company while the receiver is busy, and events that grow more urgent as they wait. */
export const batches: Feature = (chance, { via, batchSize }) => {
  if (!chance.happens(0.25)) return undefined;
  const flush = { flushIntervalMs: chance.pick([10, 500]) };
  const aging = { agingMs: chance.pick([20, 1_000]) };
  const isFlushing = via === 'webhook' && chance.happens(0.6) && batchSize > 1;
  const isAging = chance.happens(0.6);
  return { options: { ...(isFlushing ? flush : {}), ...(isAging ? aging : {}) }, agesEvents: isAging };
};
