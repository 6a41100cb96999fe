import type { HistoryEntry } from '@event-manager/testing';
import type { RunFeature } from './feature.ts';
import { isAimedAt } from './is-aimed-at.ts';

/** Nothing is removed while a publisher may repeat an event that is half as old: with the event its id would be forgotten. */
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
        if (!mayBeRepeated(world.history))
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

/** An event was handed in, nobody heard that it is stored, and many were stored since. */
function mayBeRepeated(history: readonly HistoryEntry[]): boolean {
  const open = new Map<string, number>();
  for (const entry of history) {
    if (entry.kind === 'invoke' && !open.has(entry.id)) open.set(entry.id, 0);
    if (entry.kind !== 'ok') continue;
    open.delete(entry.id);
    for (const [id, stored] of open) open.set(id, stored + 1);
  }
  return [...open.values()].some((stored) => stored >= EVENTS_MIN / 2);
}
