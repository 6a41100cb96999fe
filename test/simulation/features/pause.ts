import { ANONYMOUS } from '@event-manager/core';
import type { Feature } from './feature.ts';
import { isAimedAt } from './is-aimed-at.ts';

/** Somebody pauses the subscription for a while: nothing is attempted meanwhile, and nothing is lost. */
export const pause: Feature = (chance, _subscription, plan) => {
  // What is owed for long is what retention finds.
  const isAimed = isAimedAt('retention', plan);
  if (!(chance.happens(0.15) || isAimed)) return undefined;
  const pauses = Array.from({ length: 1 + chance.integer(2) }, () => ({
    afterMs: chance.integer(isAimed ? 300 : 4_000),
    forMs: isAimed ? 30_000 : chance.pick([100, 2_000, 30_000]),
  }));
  return {
    ...{ pauses },
    live({ id, time, operate }) {
      for (const { afterMs, forMs } of pauses) {
        time.after(afterMs, () => void operate((engine) => engine.subscriptions.pause(ANONYMOUS, id)));
        time.after(afterMs + forMs, () => void operate((engine) => engine.subscriptions.resume(ANONYMOUS, id)));
      }
    },
    async heal({ id, insist }) {
      await insist((engine) => engine.subscriptions.resume(ANONYMOUS, id));
    },
  };
};
