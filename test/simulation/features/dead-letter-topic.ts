import { ANONYMOUS, decodeEvent } from '@event-manager/core';
import type { Feature } from './feature.ts';
import { isAimedAt } from './is-aimed-at.ts';

/** Dead letters are told on a topic: each by exactly one event, whatever died in between. */
export const deadLetterTopic: Feature = (chance, subscription, plan) => {
  // Of what retention removed nothing could be counted.
  const isKept = plan.faults.every((fault) => fault.kind !== 'trim');
  if (!isKept || isAimedAt('retention', plan) || !chance.happens(0.2)) return undefined;
  const topic = `dead/${subscription.name}`;
  return {
    options: { deadLetterTopic: topic },
    async judge(_report, { id, insist, readLog }) {
      const letters = await insist((engine) => engine.deadLetters.all(ANONYMOUS, id));
      const events = (await readLog()).filter((record) => record.topic === topic);
      const told = events.map(({ body }) => decodeEvent(body).metadata['deadLetterId']);
      return letters.flatMap((letter) => {
        // A letter about such an event ends there.
        if (JSON.parse(letter.event).metadata.deadLetterOf !== undefined) return [];
        const times = told.filter((of) => of === letter.id).length;
        return times === 1 ? [] : [`C2 the dead letter ${letter.id} was told ${times} times`];
      });
    },
  };
};
