import { EventManagerError } from '../errors/event-manager-error.ts';
import type { StoredEvent } from '../event/encode-event.ts';
import { checkJson } from '../json/check-json.ts';
import type { Limits } from '../limits.ts';

/**
 * Looks in the encoded text for NUL characters and lone surrogates, which `JSON.stringify` writes as escapes. A hit may
 * be a text that really contains a backslash, so only then are the values walked once more to be certain and to name the
 * place. Where a `toJSON` of the publisher took part, the text itself is read back: it alone is what will be stored.
 */
export function recheckText(text: string, stored: StoredEvent, exact: boolean, limits: Limits, pointer: string): void {
  const isSuspect = text.includes('\\u0000') || text.includes('\\ud');
  if (!isSuspect && exact) return;
  const { payload, metadata } = exact ? stored : (JSON.parse(text) as StoredEvent);
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new EventManagerError('invalid_event', 'A payload is an object.', { pointer: `${pointer}/payload` });
  }
  const depthMax = limits.depthMax - 1;
  checkJson(payload, { depthMax, pointer: `${pointer}/payload` });
  checkJson(metadata, { depthMax, pointer: `${pointer}/metadata` });
}
