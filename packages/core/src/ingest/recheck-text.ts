import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Envelope } from '../event/encode-event.ts';
import { checkJson } from '../json/check-json.ts';
import type { Limits } from '../limits.ts';

/*
 * Encoded text is searched for NUL characters and lone surrogates, which `JSON.stringify` writes as escapes. A hit may be a
 * text that really contains a backslash, so only then are the values walked once more to be certain and to name the place.
 * Where a `toJSON` of the publisher took part (`exact` is false), the text itself is read back: it alone is what will be stored.
 */

export interface RecheckOptions {
  readonly exact: boolean;
  readonly limits: Limits;
  /** JSON pointer of the event. */
  readonly pointer: string;
}

export function recheckEnvelope(text: string, envelope: Envelope, { exact, limits, pointer }: RecheckOptions): void {
  if (exact && !isSuspect(text)) return;
  const { metadata } = exact ? envelope : (JSON.parse(text) as Envelope);
  checkJson(metadata, { depthMax: limits.depthMax - 1, pointer: `${pointer}/metadata` });
}

export function recheckPayload(text: string, payload: unknown, { exact, limits, pointer }: RecheckOptions): void {
  if (exact && !isSuspect(text)) return;
  const written: unknown = exact ? payload : JSON.parse(text);
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    throw new EventManagerError('invalid_event', 'A payload is an object.', { pointer: `${pointer}/payload` });
  }
  checkJson(written, { depthMax: limits.depthMax - 1, pointer: `${pointer}/payload` });
}

function isSuspect(text: string): boolean {
  return text.includes('\\u0000') || text.includes('\\ud');
}
