import type { RunFeature } from './feature.ts';

/** Three times as long as a lease lasts. */
const SLEEP_MS = 18_000;

/** A process is stopped for longer than its leases last, and goes on as if nothing had happened. */
export const sleep: RunFeature = (chance, plan) => {
  if (plan.engines < 2 || !chance.happens(0.2)) return undefined;
  const afterMs = chance.integer(4_000);
  return {
    ...{ afterMs },
    live({ time, anyProcess, note }) {
      time.after(afterMs, () => {
        const process = anyProcess();
        note(`sleep ${process?.name}`);
        process?.sleep(SLEEP_MS);
      });
    },
  };
};
