import type { JsonObject } from '../json.ts';
import type { Event } from './event.ts';

/**
 * Turns the parsed JSON of a stored event into the event, in place: times become dates. It is frozen through and through,
 * because it is handed to several subscribers and none may change what another sees. (A `Date` stays changeable by its
 * setters; JavaScript cannot prevent it.)
 */
export function reviveEvent(parsed: object): Event {
  const stored = parsed as Record<string, unknown>;
  const metadata = stored['metadata'] as Record<string, unknown>;
  freezeDeep(stored['payload']);
  for (const key in metadata) freezeDeep(metadata[key]);
  if (metadata['expiresAt'] !== undefined) metadata['expiresAt'] = new Date(metadata['expiresAt'] as string);
  stored['timestamp'] = new Date(stored['timestamp'] as string);
  Object.freeze(metadata);
  return Object.freeze(stored) as unknown as Event<JsonObject>;
}

/** Freezes JSON values; recursion is bounded by the depth that ingest allows. */
export function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) for (const entry of value) freezeDeep(entry);
  else for (const key in value) freezeDeep((value as Record<string, unknown>)[key]);
  Object.freeze(value);
}
