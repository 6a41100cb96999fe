import type { Event, EventMetadata } from '../event/event.ts';
import type { EventTypeOf } from '../typed/event-map.ts';
import type { TypesOn } from '../typed/types-on.ts';

/**
 * The payload on a bus whose events nobody declared. Anything, as the arguments of an emitter are: handlers that say what they
 * take can be given to such a bus. `new EventBus<{…}>()` has the compiler look.
 */
// biome-ignore lint/suspicious/noExplicitAny: the reason is the sentence above.
export type AnyPayload = any;

/** Event types with their payloads, when nothing is said of them. */
export type AnyBusEvents = { readonly [type: string]: AnyPayload };

/** An event as handlers of the bus see it: the stored one, with the names that programs built on an emitter look for. */
export interface BusEvent<Payload = AnyPayload> extends Event<Payload> {
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

/** The events of a map as handlers of the bus see them: one for each of the types, told apart by `type`. */
export type BusEventOf<Events, Type extends EventTypeOf<Events> = EventTypeOf<Events>> = string extends keyof Events
  ? BusEvent
  : { [Each in Type]: BusEvent<Events[Each]> & { readonly type: Each } }[Type];

/** Those of a topic: see `EventOn`. */
export type BusEventOn<Events, Topic extends string> = string extends keyof Events
  ? BusEvent
  : BusEventOf<Events, TypesOn<EventTypeOf<Events>, Topic>>;

/** The stored event as the bus shows it. */
export function busEvent(event: Event): BusEvent {
  const { id, correlationId, payload, metadata } = event;
  return {
    ...event,
    data: payload,
    metadata: { ...metadata, eventId: id, ...(correlationId === undefined ? {} : { correlationId }) },
  };
}
