import type { Appendable } from '../contracts/event-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Envelope } from '../event/encode-event.ts';
import { EventPriority, parsePriority } from '../event/priority.ts';
import { checkJson } from '../json/check-json.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import { givenDue, readDueMs } from '../schedule/read-due.ts';
import type { ScheduledAppendable } from '../schedule/schedule-record.ts';
import { accept } from './accept.ts';
import { type Checked, encode, encodeTrusted } from './encode.ts';
import { DEFAULT_METADATA, type NormalizedMetadata, normalizeMetadata } from './normalize-metadata.ts';
import { readEventId } from './read-event-id.ts';
import { readOptionalName, readSharedName } from './read-name.ts';
import { readTimeMs, timeText } from './read-time.ts';
import { readTopic } from './read-topic.ts';

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

/** An event that can be kept. */
export interface Normalized extends Appendable {
  /** Where its metadata is the default: its body without the payload, for a handler that is about to be called. */
  readonly envelope?: Envelope | undefined;
}

/**
 * Turns what a publisher handed in into an event that can be kept: names settled, defaults put in, limits kept, encoded once.
 * Nothing of the result refers to the input. An event for later is a `ScheduledAppendable`. Throws `invalid_event`, `invalid_topic`, `topic_reserved`, `too_deep` and
 * `event_too_large`, each with `details.pointer`.
 */
export function normalize(input: unknown, context: NormalizeContext): Normalized | (Normalized & ScheduledAppendable) {
  const { limits, trusted = false } = context;
  const pointer = context.pointer ?? '';
  const event = accept(input, pointer);
  const type = readSharedName(event['type'], limits.nameCharactersMax, pointer, 'type');
  const topic =
    event['topic'] === undefined
      ? readTopic(type, limits, context.principal, pointer, 'type')
      : readTopic(event['topic'], limits, context.principal, pointer, 'topic');
  const timestampMs =
    event['timestamp'] === undefined ? context.nowMs : readTimeMs(event['timestamp'], `${pointer}/timestamp`);
  const metadata = normalizeMetadata(event['metadata'], limits, `${pointer}/metadata`, trusted);
  const payload = readPayload(event['payload'], limits, `${pointer}/payload`, trusted);
  const envelope: Envelope = {
    id: event['id'] === undefined ? context.nextId() : readId(event['id'], pointer),
    type,
    source: readSharedName(event['source'], limits.nameCharactersMax, pointer, 'source'),
    timestamp: timeText(timestampMs),
    version: readVersion(event['version'], limits, pointer),
    topic: topic.text,
    priority: readPriority(event['priority'], pointer),
    metadata: metadata.metadata,
    correlationId: readOptionalName(event['correlationId'], limits.nameCharactersMax, pointer, 'correlationId'),
    causationId: readOptionalName(event['causationId'], limits.nameCharactersMax, pointer, 'causationId'),
  };
  const body = trusted
    ? encodeTrusted({ ...envelope, payload: payload.value }, limits, pointer)
    : encode({ value: envelope, exact: metadata.exact }, payload, limits, pointer);
  const appendable = toAppendable(envelope, topic.canonical, timestampMs, metadata, body);
  const { deliverAt, delayMs } = event;
  if (deliverAt === undefined && delayMs === undefined && !metadata.due) return appendable;
  const deliverAtMs = readDueMs(givenDue(deliverAt, delayMs, pointer), metadata.due, context.nowMs);
  return deliverAtMs === undefined ? appendable : { ...appendable, deliverAtMs };
}

function toAppendable(
  envelope: Envelope,
  topic: string,
  timestampMs: number,
  { metadata, flags }: NormalizedMetadata,
  body: Uint8Array,
): Normalized {
  return {
    id: envelope.id,
    topic,
    lane: envelope.priority,
    flags,
    type: envelope.type,
    source: envelope.source,
    correlationId: envelope.correlationId,
    causationId: envelope.causationId,
    userId: metadata.userId,
    projectId: metadata.projectId,
    timestampMs,
    body,
    envelope: metadata === DEFAULT_METADATA ? envelope : undefined,
  };
}

function readId(value: unknown, parent: string): string {
  const id = typeof value === 'string' ? readEventId(value) : undefined;
  if (id === undefined) throw wrong('An event id is a UUID (RFC 9562).', `${parent}/id`);
  return id;
}

function readVersion(value: unknown, limits: Limits, pointer: string): string {
  return value === undefined ? '1.0' : readSharedName(value, limits.nameCharactersMax, pointer, 'version');
}

function readPriority(value: unknown, parent: string): EventPriority {
  if (value === undefined) return EventPriority.NORMAL;
  const priority = parsePriority(value);
  if (priority === undefined) {
    throw wrong('A priority is CRITICAL, HIGH, NORMAL, LOW or a number from 0 to 3.', `${parent}/priority`);
  }
  return priority;
}

/** Not frozen, for the sake of `JSON.stringify` (see `normalize-metadata.ts`). */
const NO_PAYLOAD: Checked<JsonObject> = { value: {}, exact: true };

function readPayload(value: unknown, limits: Limits, pointer: string, trusted: boolean): Checked<JsonObject> {
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
