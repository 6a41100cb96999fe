import { isDeepStrictEqual } from 'node:util';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { EventIn, EventMetadataIn } from '../event/event.ts';
import { EVENT_FIELDS, isEventField } from '../ingest/accept.ts';
import type { EventTypeOf } from '../typed/event-map.ts';

/** What `publish(topic, type, payload, options)` takes beside these. */
export type BusPublishOptions = Partial<Omit<EventIn, 'topic' | 'type' | 'payload'>>;

/** An event as the bus takes it: the service says who it is once, in the constructor, and `data` is another word for `payload`. */
export interface BusEventIn extends Omit<EventIn, 'source'> {
  readonly source?: string | undefined;
  readonly data?: unknown;
}

/** The same of a map of events: the payload stands under either of its names. */
export type BusEventInOf<Events, Type extends EventTypeOf<Events> = EventTypeOf<Events>> = string extends keyof Events
  ? BusEventIn
  : {
      [Each in Type]: Omit<BusEventIn, 'type' | 'payload' | 'data'> & { readonly type: Each } & (
          | { readonly payload: Events[Each]; readonly data?: Events[Each] }
          | { readonly data: Events[Each]; readonly payload?: Events[Each] }
        );
    }[Type];

/** What follows topic and type. */
export type PayloadArguments<Events, Type extends EventTypeOf<Events>> = string extends keyof Events
  ? readonly [payload?: unknown, options?: BusPublishOptions]
  : readonly [payload: Events[Type], options?: BusPublishOptions];

export type PublishArguments =
  | readonly [event: BusEventIn]
  | readonly [topic: string, type: string, payload?: unknown, options?: BusPublishOptions];

/**
 * One event of both ways to say it, under the names of the specification: middleware and upcasters look for those. What it lacks or
 * has too much of is for `accept` to say. Throws `invalid_event` for a payload and other data in one event.
 */
export function eventOfArguments(given: PublishArguments, source: string): EventIn {
  const [first, type, payload, options] = given;
  if (typeof first === 'string') {
    return liftCorrelation({
      ...options,
      source: options?.source ?? source,
      topic: first,
      type: type as string,
      payload,
    });
  }
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return first as EventIn;
  const { data, ...event } = plainEvent(first);
  if (data !== undefined && event.payload !== undefined) assertSame(data, event.payload);
  // `null` is no payload, and for the engine to refuse.
  const payloadOrData = event.payload === undefined ? data : event.payload;
  return liftCorrelation({ ...event, source: event.source ?? source, payload: payloadOrData });
}

/** A copy by its settled names. The fields of a class may be getters, which a copy of what is its own would leave out. */
function plainEvent(event: BusEventIn): BusEventIn {
  const prototype: unknown = Object.getPrototypeOf(event);
  const isPlain = prototype === Object.prototype || prototype === null;
  const plain: Record<string, unknown> = isPlain ? { ...event } : { ...inheritedFields(event), ...event };
  for (const key in plain) {
    if (isEventField(key)) continue;
    const name = EVENT_FIELDS.get(key);
    // One that is given twice is refused with its place.
    if (name === undefined || plain[name] !== undefined) continue;
    plain[name] = plain[key];
    delete plain[key];
  }
  return plain as unknown as BusEventIn;
}

function inheritedFields(event: object): object {
  const names = ['data', ...EVENT_FIELDS.keys()].filter((name) => name in event && !Object.hasOwn(event, name));
  const fields = names.map((name) => [name, (event as Record<string, unknown>)[name]] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined && typeof value !== 'function'));
}

/** An event that a handler got has both. Of two that differ one would be lost, and nobody would hear of it. */
function assertSame(data: unknown, payload: unknown): void {
  if (data === payload || isDeepStrictEqual(data, payload)) return;
  const words = 'data is another word for payload: an event that has both says the same by them.';
  throw new EventManagerError('invalid_event', words, { pointer: '/data' });
}

/** A flow is named by a field of the event, and its publishers may say it among the metadata. */
export function liftCorrelation(event: EventIn): EventIn {
  const { correlationId, ...metadata } = (event.metadata ?? {}) as EventMetadataIn & { correlationId?: string };
  if (correlationId === undefined || event.correlationId !== undefined) return event;
  return { ...event, correlationId, metadata };
}
