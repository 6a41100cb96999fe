import type { JsonObject, StateStore } from '@event-manager/core';
import type { HistoryEntry } from '@event-manager/testing';
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

/** What ended because its debt was removed: as many events that are gone as the record of the subscription admits, or none. */
export async function removedEnds(
  state: StateStore,
  { id, name, gone, note }: { id: string; name: string; gone: readonly string[]; note: (what: string) => void },
): Promise<HistoryEntry[]> {
  const [record] = await state.get('debt-removal', [`${id}/0`]);
  const count = ((record?.value as JsonObject | undefined)?.['count'] as number | undefined) ?? 0;
  if (gone.length > count) {
    note(`the record of ${name} admits ${JSON.stringify(record?.value)}`);
    return [];
  }
  return gone.map((event): HistoryEntry => ({ kind: 'end', subscription: name, id: event, state: 'removed' }));
}
