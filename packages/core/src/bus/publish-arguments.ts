import type { EventIn, EventMetadataIn } from '../event/event.ts';

/** What `publish(topic, type, payload, options)` takes beside these. */
export type BusPublishOptions = Partial<Omit<EventIn, 'topic' | 'type' | 'payload'>>;

/** An event as the bus takes it: the service says who it is once, in the constructor, and `data` is another word for `payload`. */
export interface BusEventIn extends Omit<EventIn, 'source'> {
  readonly source?: string | undefined;
  readonly data?: unknown;
}

export type PublishArguments =
  | readonly [event: BusEventIn]
  | readonly [topic: string, type: string, payload?: unknown, options?: BusPublishOptions];

/** One event of both ways to say it. What it lacks or has too much of is for `accept` to say. */
export function eventOfArguments(given: PublishArguments, source: string): EventIn {
  const [first, type, payload, options] = given;
  if (typeof first === 'string') {
    return lifted({ ...options, source: options?.source ?? source, topic: first, type: type as string, payload });
  }
  if (typeof first !== 'object' || first === null) return first;
  const { data, ...event } = first;
  return lifted({ ...event, source: event.source ?? source, payload: event.payload ?? data });
}

/** A flow is named by a field of the event, and its publishers may say it among the metadata. */
function lifted(event: EventIn): EventIn {
  const { correlationId, ...metadata } = (event.metadata ?? {}) as EventMetadataIn & { correlationId?: string };
  if (correlationId === undefined || event.correlationId !== undefined) return event;
  return { ...event, correlationId, metadata };
}
