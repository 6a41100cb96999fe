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
  const begun: Promise<unknown>[] = [];
  return {
    ...{ pauses },
    live(live) {
      const { id, time, operate } = live;
      for (const { afterMs, forMs } of pauses) {
        time.after(afterMs, () => {
          // Behind the resume of `heal` it would last: its own resume may be refused, and nobody insists on that one.
          if (!live.isHealing) begun.push(operate((engine) => engine.subscriptions.pause(ANONYMOUS, id)));
        });
        time.after(afterMs + forMs, () => void operate((engine) => engine.subscriptions.resume(ANONYMOUS, id)));
      }
    },
    async heal({ id, insist }) {
      // One under way at another process would be as late as one that begins now.
      await Promise.all(begun);
      await insist((engine) => engine.subscriptions.resume(ANONYMOUS, id));
    },
  };
};
