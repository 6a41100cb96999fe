import { EventManagerError } from '../errors/event-manager-error.ts';
import { jsonPointer } from '../json/json-pointer.ts';

/** The spellings of one object's fields, each with the name it stands for. */
export type Spellings = ReadonlyMap<string, string>;

/** Fields of an event: the names of the specification, and the spellings other languages send. */
export const EVENT_FIELDS: Spellings = new Map([
  ['id', 'id'],
  ['event_id', 'id'],
  ['eventId', 'id'],
  ['type', 'type'],
  ['event_type', 'type'],
  ['eventType', 'type'],
  ['source', 'source'],
  ['timestamp', 'timestamp'],
  ['version', 'version'],
  ['topic', 'topic'],
  ['priority', 'priority'],
  ['metadata', 'metadata'],
  ['payload', 'payload'],
  ['correlationId', 'correlationId'],
  ['correlation_id', 'correlationId'],
  ['causationId', 'causationId'],
  ['causation_id', 'causationId'],
  ['deliverAt', 'deliverAt'],
  ['deliver_at', 'deliverAt'],
  ['delayMs', 'delayMs'],
  ['delay_ms', 'delayMs'],
]);

/** Metadata may hold further keys; these are the other spellings of the known ones. */
export const METADATA_FIELDS: Spellings = new Map([
  ['project_id', 'projectId'],
  ['user_id', 'userId'],
  ['session_id', 'sessionId'],
  ['retry_count', 'retryCount'],
  ['max_retries', 'maxRetries'],
  ['expires_at', 'expiresAt'],
  ['ordering_key', 'orderingKey'],
  ['deliver_at', 'deliverAt'],
  ['delay_ms', 'delayMs'],
]);

/** An event as it was handed in, with the names of its fields settled and nothing else. */
export type AcceptedEvent = Readonly<Record<string, unknown>>;

/** The names of the specification. Keys come interned, so a switch compares pointers; a look-up would hash each one. */
export function isEventField(key: string): boolean {
  switch (key) {
    case 'id':
    case 'type':
    case 'source':
    case 'timestamp':
    case 'version':
    case 'topic':
    case 'priority':
    case 'metadata':
    case 'payload':
    case 'correlationId':
    case 'causationId':
    case 'deliverAt':
    case 'delayMs':
      return true;
    default:
      return false;
  }
}

/** The same for the keys of metadata that the product knows. */
export function isMetadataField(key: string): boolean {
  switch (key) {
    case 'projectId':
    case 'userId':
    case 'sessionId':
    case 'tags':
    case 'retryCount':
    case 'maxRetries':
    case 'expiresAt':
    case 'orderingKey':
    case 'deliverAt':
    case 'delayMs':
      return true;
    default:
      return false;
  }
}

/** First step: the value is an object and has only fields that an event can have. Throws `invalid_event`. */
export function accept(input: unknown, pointer: string): AcceptedEvent {
  const event = requireObject(input, pointer);
  for (const key in event) {
    if (!isEventField(key)) return rename(event, EVENT_FIELDS, 'refuse', pointer);
  }
  return event;
}

/** The same for metadata, where unknown keys are the publisher's own and stay. */
export function acceptMetadata(input: unknown, pointer: string): AcceptedEvent {
  const metadata = requireObject(input, pointer);
  for (const key in metadata) {
    if (!isMetadataField(key) && METADATA_FIELDS.has(key)) return rename(metadata, METADATA_FIELDS, 'keep', pointer);
  }
  return metadata;
}

function requireObject(input: unknown, pointer: string): AcceptedEvent {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as AcceptedEvent;
  throw new EventManagerError('invalid_event', 'An object is expected here.', { pointer });
}

function rename(input: AcceptedEvent, fields: Spellings, unknown: 'refuse' | 'keep', pointer: string): AcceptedEvent {
  const renamed: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(input)) {
    if (input[key] === undefined) continue;
    const name = fields.get(key) ?? (unknown === 'keep' ? key : undefined);
    if (name === undefined) throw wrong(`The event has an unknown field.`, pointer, key);
    if (name in renamed) throw wrong(`The field ${name} is given twice, in two spellings.`, pointer, key);
    renamed[name] = input[key];
  }
  return renamed;
}

function wrong(text: string, pointer: string, key: string): EventManagerError {
  return new EventManagerError('invalid_event', text, { pointer: jsonPointer(pointer, key) });
}
