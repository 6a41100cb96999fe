import { ANONYMOUS, isEventManagerError } from '@event-manager/core';
import type { RunFeature } from './feature.ts';
import { isAimedAt } from './is-aimed-at.ts';

/**
 * Some events are for later, and somebody cancels a few of those: what was accepted comes once and not before its time, and
 * what was cancelled in time never comes.
 */
export const deliverLater: RunFeature = (chance, plan) => {
  // A wall clock that is set back a day makes everything wait for a day.
  const isSetBack = plan.faults.some(({ kind, amountMs }) => kind === 'clock-jump' && amountMs < 0);
  const isAimed = isAimedAt('schedule', plan);
  if (isSetBack || !(chance.happens(0.3) || isAimed)) return undefined;
  const share = isAimed ? 0.5 : chance.pick([0.1, 0.5]);
  const cancelShare = chance.pick([0, 0.3]);
  const withinMs = chance.pick([500, 20_000]);
  const dueMs = new Map<string, number>();
  return {
    ...{ share, cancelShare, withinMs },
    fields(draw, { id }, { time }) {
      if (!draw.happens(share)) return undefined;
      const deliverAt = time.wallMs() + 1 + draw.integer(withinMs);
      dueMs.set(id, deliverAt);
      return { deliverAt };
    },
    acknowledged(id, calls, draw, world) {
      if (!dueMs.has(id) || !draw.happens(cancelShare)) return;
      world.time.after(draw.integer(withinMs), () => void cancel(id, calls));

      async function cancel(eventId: string, published: number): Promise<void> {
        const inTime = await world.insist(async (engine) => {
          try {
            return { word: await engine.schedule.cancel(ANONYMOUS, eventId) };
          } catch (error) {
            // The answer to an earlier cancellation got lost.
            if (isEventManagerError(error, 'scheduled_not_found')) return { word: 'unknown' };
            throw error;
          }
        });
        world.note(`cancel ${eventId} ${inTime.word}`);
        if (inTime.word === false) return;
        // A call whose answer got lost may arrive after the cancellation, and is a new acceptance.
        world.history.push({ kind: 'cancel', id: eventId, isSure: inTime.word === true && published === 1 });
      }
    },
    delivered({ id }, { time, violation }) {
      const due = dueMs.get(id) ?? 0;
      if (time.wallMs() < due) violation(`A8 ${id} came ${due - time.wallMs()} ms before its time`);
    },
  };
};
