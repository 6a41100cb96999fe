import type { JsonObject } from '../json.ts';
import type { EventPriority } from './priority.ts';

/** An event in the form it is stored in: JSON values only, in the order of the text. Absent fields are `undefined`. */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** RFC 3339 in UTC with milliseconds. */
  readonly timestamp: string;
  readonly version: string;
  readonly topic: string;
  readonly priority: EventPriority;
  readonly metadata: StoredMetadata;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
  readonly payload: JsonObject;
}

/** A stored event without its payload. */
export type Envelope = Omit<StoredEvent, 'payload'>;

export interface StoredMetadata {
  readonly tags: readonly string[];
  readonly retryCount: 0;
  readonly maxRetries: number;
  readonly projectId?: string | undefined;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** RFC 3339 in UTC with milliseconds. */
  readonly expiresAt?: string | undefined;
  readonly [key: string]: unknown;
}

const BEFORE_PAYLOAD = Buffer.from(',"payload":', 'latin1');
const CLOSING_BRACE = 0x7d;
/** What the bytes of an event have more than the texts of its envelope and its payload. */
export const JOINT_BYTES = BEFORE_PAYLOAD.length;

/** Larger bodies get memory of their own. */
const SHARED_CHARACTERS_MAX = 4096;
/** A UTF-16 unit becomes at most so many bytes of UTF-8. */
const BYTES_PER_UNIT_MAX = 3;
const SLAB_BYTES = 64 << 10;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/**
 * The bytes of the one JSON encoding an event ever gets, once ingest has looked over its text. Small bodies share memory,
 * which is why nobody may write to a body or transfer its buffer. (The pool of `Buffer.from` has 8 KiB: a dozen events.)
 */
export function encodeEvent(text: string): Uint8Array {
  if (text.length > SHARED_CHARACTERS_MAX) return Buffer.from(text, 'utf8');
  const from = reserve(text.length);
  used = from + slab.write(text, from, 'utf8');
  return slab.subarray(from, used);
}

/** The same from the text without payload and the text of the payload, which becomes the last field. */
export function encodeParts(envelope: string, payload: string): Uint8Array {
  const characters = envelope.length + JOINT_BYTES + payload.length;
  if (characters > SHARED_CHARACTERS_MAX) {
    const own = Buffer.allocUnsafeSlow(Buffer.byteLength(envelope) + JOINT_BYTES + Buffer.byteLength(payload));
    writeParts(own, 0, envelope, payload);
    return own;
  }
  const from = reserve(characters);
  used = writeParts(slab, from, envelope, payload);
  return slab.subarray(from, used);
}

/** Where so many characters can be written. */
function reserve(characters: number): number {
  if (used + characters * BYTES_PER_UNIT_MAX > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  return used;
}

/** The envelope without its last brace, the payload, and the brace. Returns where it ends. */
function writeParts(into: Buffer, from: number, envelope: string, payload: string): number {
  let at = from + into.write(envelope, from, 'utf8') - 1;
  for (let index = 0; index < JOINT_BYTES; index++) into[at++] = BEFORE_PAYLOAD[index]!;
  at += into.write(payload, at, 'utf8');
  into[at] = CLOSING_BRACE;
  return at + 1;
}

const EMPTY: Envelope = {
  ...{ id: '', type: '', source: '', timestamp: '', version: '', topic: '', priority: 0, correlationId: undefined },
  ...{ metadata: { tags: [], retryCount: 0, maxRetries: 3 }, causationId: undefined },
};
/** Of an envelope with the default metadata and without texts. */
const FRAME_BYTES = JSON.stringify(EMPTY).length - 1;
const CORRELATION_BYTES = ',"correlationId":""'.length;
const CAUSATION_BYTES = ',"causationId":""'.length;

/**
 * Where the payload of a stored event begins, behind an envelope with the default metadata. Told by the lengths of its texts, which
 * take as many bytes where they are plain; otherwise looked for from there. No text can hold the bytes that are looked for,
 * because its quotation marks are escaped. -1 where it is not to be found.
 */
export function payloadStart(envelope: Envelope, body: Uint8Array): number {
  const { id, type, source, timestamp, version, topic, correlationId, causationId } = envelope;
  let at = FRAME_BYTES + id.length + type.length + source.length + timestamp.length + version.length + topic.length;
  if (correlationId !== undefined) at += CORRELATION_BYTES + correlationId.length;
  if (causationId !== undefined) at += CAUSATION_BYTES + causationId.length;
  if (isBeforePayload(body, at)) return at + JOINT_BYTES;
  const found = Buffer.from(body.buffer, body.byteOffset, body.byteLength).indexOf(BEFORE_PAYLOAD, at);
  return found < 0 ? -1 : found + JOINT_BYTES;
}

function isBeforePayload(body: Uint8Array, at: number): boolean {
  for (let index = 0; index < JOINT_BYTES; index++) if (body[at + index] !== BEFORE_PAYLOAD[index]) return false;
  return true;
}
