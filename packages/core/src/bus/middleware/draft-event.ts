import type { EventIn } from '../../event/event.ts';
import { type BusEventIn, liftCorrelation } from '../publish-arguments.ts';
import type { MiddlewareEvent, PayloadIn } from './middleware.ts';

/** What the bus knows of an event that does not say it. */
export interface Known {
  readonly nextId: () => string;
  readonly nowMs: () => number;
}

/** The event as middleware sees it; `undefined` for what can be no event, which is for the engine to refuse with its place. */
export function draftEvent(event: EventIn, known: Known): MiddlewareEvent | undefined {
  if (typeof event !== 'object' || event === null) return undefined;
  const { payload = {} } = event;
  if (!isObject(payload)) return undefined;
  const { id = known.nextId(), timestamp = new Date(known.nowMs()) } = event;
  return Object.freeze({ ...event, id, timestamp, payload, data: payload });
}

/**
 * The event that a middleware passed on: what it left out of the bus's own knowledge stays, and of `payload` and `data` the one
 * counts that it changed. `undefined` when it is no event.
 */
export function changedDraft(before: MiddlewareEvent, after: BusEventIn) {
  if (after === before) return before;
  if (typeof after !== 'object' || after === null) return undefined;
  const isPayloadNew = after.payload !== undefined && after.payload !== before.payload;
  const payload = isPayloadNew ? after.payload : (after.data ?? before.payload);
  if (!isObject(payload)) return undefined;
  const { id = before.id, timestamp = before.timestamp, source = before.source } = after;
  return Object.freeze({ ...after, id, timestamp, source, payload, data: payload }) satisfies MiddlewareEvent;
}

/** The event that goes to the engine. */
export function eventOfDraft({ data: _, ...event }: MiddlewareEvent & BusEventIn): EventIn {
  return liftCorrelation(event);
}

function isObject(value: unknown): value is PayloadIn {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
