import type { RunFeature } from './feature.ts';
import { isAimedAt } from './is-aimed-at.ts';

/** Far more than all publishers together may have to repeat. */
const EVENTS_MIN = 12;

/**
 * The log is kept small, in some runs smaller than what is owed: an event that somebody is owed stays, or its debt ends and is
 * counted.
 */
export const retention: RunFeature = (chance, plan) => {
  // Of what retention removed nobody could tell how often it was told.
  const isTold = plan.subscriptions.some(({ traits }) => traits['deadLetterTopic'] !== undefined);
  const isAimed = isAimedAt('retention', plan);
  if (isTold || !(chance.happens(0.25) || isAimed)) return undefined;
  const policy = {
    eventsMax: EVENTS_MIN + chance.integer(10),
    ...(chance.happens(0.5) || isAimed ? { owedBytesMax: 4_000 + chance.integer(8_000) } : {}),
  };
  const everyMs = chance.pick([200, 1_000]);
  return {
    ...{ policy, everyMs },
    live(world) {
      const work = async (): Promise<void> => {
        await world.operate(async (engine) => {
          engine.retention.follow(policy);
          await engine.retention.runNow();
          engine.retention.follow(undefined);
          return engine;
        });
        if (!world.isHealing) world.time.after(everyMs, () => void work());
      };
      world.time.after(everyMs, () => void work());
    },
  };
};
