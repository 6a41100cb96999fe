import { EventManagerError } from '../errors/event-manager-error.ts';
import { type Envelope, encodeEvent, encodeParts, JOINT_BYTES, type StoredEvent } from '../event/encode-event.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';
import { recheckEnvelope, recheckPayload } from './recheck-text.ts';

/** A part that is the publisher's own. */
export interface Checked<Value> {
  readonly value: Value;
  /** What `checkJson` said: false where a `toJSON` of the publisher takes part. */
  readonly exact: boolean;
}

/** Encodes an event that `parseJson` read: there is nothing left to look for. Throws `event_too_large`. */
export function encodeTrusted(stored: StoredEvent, limits: Limits, pointer: string): Uint8Array {
  const text = JSON.stringify(stored);
  assertSize(text.length, limits, pointer);
  const body = encodeEvent(text);
  assertSize(body.length, limits, pointer);
  return body;
}

/**
 * Encodes, and looks in the texts for what the walk over the values left out: one search of a text is cheaper than many.
 * The payload is stringified by itself: texts that its publisher concatenated send `JSON.stringify` the slow way with
 * everything that is stringified with them. Throws `event_too_large`, `invalid_event`, `too_deep`.
 */
export function encode(
  envelope: Checked<Envelope>,
  payload: Checked<JsonObject>,
  limits: Limits,
  pointer: string,
): Uint8Array {
  let envelopeText: string;
  let payloadText: string;
  try {
    envelopeText = JSON.stringify(envelope.value);
    // Only a `toJSON` can make it `undefined`; that is refused as any other payload that is not an object.
    payloadText = JSON.stringify(payload.value) ?? 'null';
  } catch (cause) {
    throw new EventManagerError('invalid_event', 'The event cannot be written as JSON.', { pointer }, cause);
  }
  assertSize(envelopeText.length + JOINT_BYTES + payloadText.length, limits, pointer);
  recheckEnvelope(envelopeText, envelope.value, { exact: envelope.exact, limits, pointer });
  recheckPayload(payloadText, payload.value, { exact: payload.exact, limits, pointer });
  const body = encodeParts(envelopeText, payloadText);
  assertSize(body.length, limits, pointer);
  return body;
}

function assertSize(size: number, limits: Limits, pointer: string): void {
  const maximum = limits.eventBytesMax;
  if (size <= maximum) return;
  const message = `The event takes at least ${size} bytes; at most ${maximum} are allowed.`;
  throw new EventManagerError('event_too_large', message, { pointer, limit: 'eventBytesMax', maximum });
}
