import { EventManagerError } from '../errors/event-manager-error.ts';
import { utf8Text } from '../json/utf8-text.ts';
import type { JsonObject } from '../json.ts';
import type { StoredEvent } from './encode-event.ts';
import type { Event } from './event.ts';

/** Reads a stored body without reviving dates or freezing: for whoever looks at a field and drops the rest. Throws `corrupt_record`. */
export function decodeStoredEvent(body: Uint8Array): StoredEvent {
  try {
    return JSON.parse(utf8Text(body)) as StoredEvent;
  } catch (cause) {
    throw new EventManagerError('corrupt_record', 'The stored event cannot be read as JSON.', {}, cause);
  }
}

/**
 * Reads a stored body. The event is frozen through and through: it is handed to several subscribers, and none may change
 * what another sees. (A `Date` stays changeable by its setters; JavaScript cannot prevent it.) Throws `corrupt_record`.
 */
export function decodeEvent(body: Uint8Array): Event {
  const stored = decodeStoredEvent(body) as unknown as Record<string, unknown>;
  const metadata = stored['metadata'] as Record<string, unknown>;
  freezeDeep(stored['payload']);
  for (const key in metadata) freezeDeep(metadata[key]);
  if (metadata['expiresAt'] !== undefined) metadata['expiresAt'] = new Date(metadata['expiresAt'] as string);
  stored['timestamp'] = new Date(stored['timestamp'] as string);
  Object.freeze(metadata);
  return Object.freeze(stored) as unknown as Event<JsonObject>;
}

/** Freezes JSON values; recursion is bounded by the depth that ingest allows. */
function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) for (const entry of value) freezeDeep(entry);
  else for (const key in value) freezeDeep((value as Record<string, unknown>)[key]);
  Object.freeze(value);
}
