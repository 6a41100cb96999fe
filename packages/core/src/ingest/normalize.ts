import type { Appendable } from '../contracts/event-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { encodeEvent, eventText, type StoredEvent } from '../event/encode-event.ts';
import { parseEventId } from '../event/event-id.ts';
import { EventPriority, parsePriority } from '../event/priority.ts';
import { checkJson } from '../json/check-json.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import { isReserved, parseTopic } from '../topic/topic.ts';
import { accept } from './accept.ts';
import { type NormalizedMetadata, normalizeMetadata } from './normalize-metadata.ts';
import { readName, readOptionalName } from './read-name.ts';
import { readTimeMs, timeText } from './read-time.ts';
import { recheckText } from './recheck-text.ts';

export interface NormalizeContext {
  readonly principal: Principal;
  readonly limits: Limits;
  /** Makes an id for an event that has none. */
  readonly nextId: () => string;
  /** The wall clock, for an event without a timestamp. */
  readonly nowMs: number;
  /** JSON pointer of the event in the caller's input, for errors. Default: the input is the event. */
  readonly pointer?: string | undefined;
  /** True when `parseJson` made the input, so that its values need not be looked at again. */
  readonly trusted?: boolean | undefined;
}

/**
 * Turns what a publisher handed in into an event that can be kept: names settled, defaults put in, limits kept, encoded once.
 * Nothing of the result refers to the input. Throws `invalid_event`, `invalid_topic`, `topic_reserved`, `too_deep` and
 * `event_too_large`, each with `details.pointer`.
 */
export function normalize(input: unknown, context: NormalizeContext): Appendable {
  const { limits, trusted = false } = context;
  const pointer = context.pointer ?? '';
  const event = accept(input, pointer);
  const type = readName(event['type'], limits.nameCharactersMax, `${pointer}/type`);
  const topicText = event['topic'] === undefined ? type : event['topic'];
  const topic = readTopic(topicText, event['topic'] === undefined ? `${pointer}/type` : `${pointer}/topic`, context);
  const timestampMs =
    event['timestamp'] === undefined ? context.nowMs : readTimeMs(event['timestamp'], `${pointer}/timestamp`);
  const metadata = normalizeMetadata(event['metadata'], limits, `${pointer}/metadata`, trusted);
  const payload = readPayload(event['payload'], limits, `${pointer}/payload`, trusted);
  const stored: StoredEvent = {
    id: event['id'] === undefined ? context.nextId() : readId(event['id'], `${pointer}/id`),
    type,
    source: readName(event['source'], limits.nameCharactersMax, `${pointer}/source`),
    timestamp: timeText(timestampMs),
    version: readVersion(event['version'], limits, `${pointer}/version`),
    topic: topicText as string,
    priority: readPriority(event['priority'], `${pointer}/priority`),
    metadata: metadata.metadata,
    payload: payload.value,
    correlationId: readOptionalName(event['correlationId'], limits.nameCharactersMax, `${pointer}/correlationId`),
    causationId: readOptionalName(event['causationId'], limits.nameCharactersMax, `${pointer}/causationId`),
  };
  const exact = metadata.exact && payload.exact;
  const body = encodeWithinLimits(stored, limits, pointer, trusted, exact);
  return toAppendable(stored, topic, timestampMs, metadata, body);
}

function toAppendable(
  stored: StoredEvent,
  topic: string,
  timestampMs: number,
  { metadata, flags }: NormalizedMetadata,
  body: Uint8Array,
): Appendable {
  return {
    id: stored.id,
    topic,
    lane: stored.priority,
    flags,
    type: stored.type,
    source: stored.source,
    correlationId: stored.correlationId,
    userId: metadata.userId,
    projectId: metadata.projectId,
    timestampMs,
    body,
  };
}

/** Encodes, and looks in the text for what the walk over the values left out: one search of the text is cheaper than many. */
function encodeWithinLimits(
  stored: StoredEvent,
  limits: Limits,
  pointer: string,
  trusted: boolean,
  exact: boolean,
): Uint8Array {
  let text: string;
  try {
    text = eventText(stored);
  } catch (cause) {
    throw new EventManagerError('invalid_event', 'The event cannot be written as JSON.', { pointer }, cause);
  }
  if (text.length > limits.eventBytesMax) throw tooLarge(text.length, limits, pointer);
  if (!trusted) recheckText(text, stored, exact, limits, pointer);
  const body = encodeEvent(text);
  if (body.length > limits.eventBytesMax) throw tooLarge(body.length, limits, pointer);
  return body;
}

function tooLarge(bytesMin: number, limits: Limits, pointer: string): EventManagerError {
  const maximum = limits.eventBytesMax;
  const message = `The event takes at least ${bytesMin} bytes; at most ${maximum} are allowed.`;
  return new EventManagerError('event_too_large', message, { pointer, limit: 'eventBytesMax', maximum });
}

function readTopic(value: unknown, pointer: string, context: NormalizeContext): string {
  if (typeof value !== 'string') throw wrong('A topic is a text.', pointer);
  const topic = parseTopic(value, context.limits, pointer);
  if (isReserved(topic) && context.principal.kind !== 'system') {
    throw new EventManagerError('topic_reserved', 'Topics under $sys belong to the bus itself.', { pointer });
  }
  return topic;
}

function readId(value: unknown, pointer: string): string {
  const id = typeof value === 'string' ? parseEventId(value) : undefined;
  if (id === undefined) throw wrong('An event id is a UUID (RFC 9562).', pointer);
  return id;
}

function readVersion(value: unknown, limits: Limits, pointer: string): string {
  return value === undefined ? '1.0' : readName(value, limits.nameCharactersMax, pointer);
}

function readPriority(value: unknown, pointer: string): EventPriority {
  if (value === undefined) return EventPriority.NORMAL;
  const priority = parsePriority(value);
  if (priority === undefined)
    throw wrong('A priority is CRITICAL, HIGH, NORMAL, LOW or a number from 0 to 3.', pointer);
  return priority;
}

interface ReadPayload {
  readonly value: JsonObject;
  readonly exact: boolean;
}

const NO_PAYLOAD: ReadPayload = Object.freeze({ value: Object.freeze({}), exact: true });

function readPayload(value: unknown, limits: Limits, pointer: string, trusted: boolean): ReadPayload {
  if (value === undefined) return NO_PAYLOAD;
  // A Date is an object here but a text in JSON.
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
    throw wrong('A payload is an object.', pointer);
  }
  // The event itself is the first level.
  const exact = trusted || checkJson(value, { depthMax: limits.depthMax - 1, pointer, checkText: false });
  return { value: value as JsonObject, exact };
}

function wrong(text: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_event', text, { pointer });
}
