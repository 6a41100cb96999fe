import { decodeEvent, type Recorded } from '@event-manager/core';
import type { HistoryEntry } from '@event-manager/testing';
import type { Plan } from './plan.ts';
import { isWantedBy } from './publisher.ts';
import { digestOf } from './receivers.ts';

const TOPIC = /^dead\//;

/** The events that tell of dead letters, as if a client had published them: subscriptions are owed them, too. */
export function lettersTold(
  plan: Plan,
  log: readonly Recorded[],
  nameOf: (subscriptionId: string) => string | undefined,
): HistoryEntry[] {
  return log.flatMap((record): HistoryEntry[] => {
    if (!TOPIC.test(record.topic)) return [];
    const { id, topic, lane, place } = record;
    const event = decodeEvent(record.body);
    const about = nameOf(String(event.metadata['deadLetterOf']));
    const wanted = isWantedBy(plan, { topic, priority: event.priority, metadata: event.metadata });
    // Nobody is told of its own.
    const subscriptions = wanted.subscriptions.filter((name) => name !== about);
    const digest = digestOf(event.payload);
    const keys = { topic, key: String(event.metadata['orderingKey'] ?? topic) };
    return [
      { kind: 'invoke', client: 'the bus', id, subscriptions, optional: wanted.optional, digest, lane, keys },
      { kind: 'ok', id, position: place.position },
    ];
  });
}
