import type { Feature } from './feature.ts';

/** The receiver is away for a while: a breaker opens, nothing is spent meanwhile, and afterwards everything comes. */
export const breaker: Feature = (chance, { via }) => {
  if (!chance.happens(0.2)) return undefined;
  const policy = { failures: chance.pick([2, 5]), windowMs: 60_000, openMs: chance.pick([100, 2_000]) };
  return {
    options: { breaker: policy },
    // What nobody could be reached for counts against no event while the breaker probes.
    answers: { unreached: via === 'webhook' ? chance.pick([0, 0.1, 0.5]) : 0 },
  };
};
