import type { Event, EventIn } from '../event/event.ts';
import type { JsonObject } from '../json.ts';
import type { DeliveryContext, HandlerAnswer } from '../sink/handler-sink.ts';
import type { TypesOn } from './types-on.ts';

/** Event types with their payloads, when nothing is said of them. */
export type AnyEvents = { readonly [type: string]: JsonObject };

/** The types of a map. */
export type EventTypeOf<Events> = keyof Events & string;

/** The events of a map as they are read: one for each of the types, told apart by `type`. */
export type EventOf<Events, Type extends EventTypeOf<Events> = EventTypeOf<Events>> = string extends keyof Events
  ? Event
  : { [Each in Type]: Event<Events[Each]> & { readonly type: Each } }[Type];

/** The events of a map as they are published. */
export type EventInOf<Events, Type extends EventTypeOf<Events> = EventTypeOf<Events>> = string extends keyof Events
  ? EventIn
  : {
      [Each in Type]: Omit<EventIn, 'type' | 'payload'> & { readonly type: Each; readonly payload: Events[Each] };
    }[Type];

/**
 * The events that a subscriber to a topic gets: those whose type, read as a topic, its pattern matches. When there is none the
 * publishers use topics of their own, of which a map of types says nothing, and it may be any.
 */
export type EventOn<Events, Topic extends string> = string extends keyof Events
  ? Event
  : EventOf<Events, TypesOn<EventTypeOf<Events>, Topic>>;

export type HandlerOf<Received> = (event: Received, context: DeliveryContext) => HandlerAnswer;

export type BatchHandlerOf<Received> = (
  events: readonly Received[],
  contexts: readonly DeliveryContext[],
) => HandlerAnswer;
