import { utf8Text } from '../json/utf8-text.ts';
import type { JsonObject } from '../json.ts';
import { decodeEvent } from './decode-event.ts';
import { type Envelope, payloadStart } from './encode-event.ts';
import type { Event, EventMetadata } from './event.ts';
import { freezeDeep } from './revive-event.ts';

/** An event that was normalised in this turn: what its body says of it besides the payload is at hand. */
export interface FreshEnvelope {
  readonly envelope: Envelope;
  readonly timestampMs: number;
}

/** Of events whose publisher said nothing. One for all of them, since it is frozen. */
let plainMetadata: EventMetadata | undefined;

/**
 * The same as `decodeEvent`, for an event whose metadata is the default: only its payload is read from the body. Reading the whole
 * body was a quarter of what an event in memory took, and most of the text is the envelope. The payload is not taken from the
 * publisher, who may go on changing it.
 */
export function eventOfEnvelope({ envelope, timestampMs }: FreshEnvelope, body: Uint8Array): Event {
  const from = payloadStart(envelope, body);
  if (from < 0) return decodeEvent(body);
  const { id, type, source, version, topic, priority, correlationId, causationId } = envelope;
  plainMetadata ??= Object.freeze({ ...envelope.metadata, tags: Object.freeze([]) }) as unknown as EventMetadata;
  const payload = JSON.parse(utf8Text(body, from, body.length - 1)) as JsonObject;
  freezeDeep(payload);
  const timestamp = new Date(timestampMs);
  const metadata = plainMetadata;
  if (correlationId === undefined && causationId === undefined) {
    return Object.freeze({ id, type, source, timestamp, version, topic, priority, metadata, payload });
  }
  return Object.freeze({
    ...{ id, type, source, timestamp, version, topic, priority, metadata },
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
    payload,
  });
}
