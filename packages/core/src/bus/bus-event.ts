import type { Event, EventMetadata } from '../event/event.ts';
import type { JsonObject } from '../json.ts';

/** An event as handlers of the bus see it: the stored one, with the names that programs built on an emitter look for. */
export interface BusEvent<Payload = JsonObject> extends Event<Payload> {
  /** The same as `payload`. */
  readonly data: Payload;
  readonly metadata: BusEventMetadata;
}

export interface BusEventMetadata extends EventMetadata {
  /** The same as `id` of the event. */
  readonly eventId: string;
  /** The same as `correlationId` of the event. */
  readonly correlationId?: string;
  /** Of an event on a dead letter topic: why the delivery was given up. */
  readonly failureReason?: string;
}

/** The stored event as the bus shows it. */
export function busEvent(event: Event): BusEvent {
  const { id, correlationId, payload, metadata } = event;
  return {
    ...event,
    data: payload,
    metadata: { ...metadata, eventId: id, ...(correlationId === undefined ? {} : { correlationId }) },
  };
}
