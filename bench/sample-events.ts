import { randomUUID } from 'node:crypto';
import { ANONYMOUS, type Appendable, DEFAULT_LIMITS, type EventIn, normalize } from '@event-manager/core';

export const TOPICS = 1_000;
export const TYPES = 50;
/** Events with the same correlation id stand as far apart as the log allows: every index has to be asked. */
const EVENTS_PER_FLOW = 10;

/** With it an encoded event has about 600 bytes. */
const FILLING = 'Every event of the benchmarks is about as long as the small facts that services tell each other. ';
const PAYLOAD_TEXT = FILLING.repeat(3).slice(0, 240);

/** Event number `index` of a log of `total`, with a random id as clients of every language make them. */
export function sampleEvent(index: number, total = 10_000_000): EventIn {
  const flows = Math.max(1, Math.floor(total / EVENTS_PER_FLOW));
  return {
    id: randomUUID(),
    type: typeOf(index),
    source: 'bench',
    topic: topicOf(index),
    correlationId: `flow-${index % flows}`,
    metadata: { userId: `user-${index % 997}`, projectId: `project-${index % 101}`, tags: ['bench'] },
    payload: { index, text: PAYLOAD_TEXT },
  };
}

export function topicOf(index: number): string {
  return `bench/area-${index % TOPICS}/measured`;
}

export function typeOf(index: number): string {
  return `bench.kind-${index % TYPES}.measured`;
}

/** The same, ready for a store: for logs that are filled before anything is measured. */
export function sampleAppendable(index: number, total: number, nowMs: number): Appendable {
  const event = sampleEvent(index, total);
  const isBeginning = index < Math.max(1, Math.floor(total / EVENTS_PER_FLOW));
  // All of a flow but the first followed from the same one.
  const caused = isBeginning ? event : { ...event, causationId: `cause-of-${event.correlationId}` };
  return normalize(caused, {
    principal: ANONYMOUS,
    limits: DEFAULT_LIMITS,
    nextId: randomUUID,
    nowMs,
    trusted: true,
  });
}

/** A request body of about 400 bytes. It has no id, so that the same bytes may be sent again and again. */
export function clientEvent(index: number): EventIn {
  const { id: _id, ...event } = sampleEvent(index);
  return { ...event, payload: { index, text: PAYLOAD_TEXT.slice(0, 160) } };
}
