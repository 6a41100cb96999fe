import { EventManagerError } from '../errors/event-manager-error.ts';
import { utf8Text } from '../json/utf8-text.ts';
import type { StoredEvent } from './encode-event.ts';
import type { Event } from './event.ts';
import { reviveEvent } from './revive-event.ts';

/** Reads a stored body without reviving dates or freezing: for whoever looks at a field and drops the rest. Throws `corrupt_record`. */
export function decodeStoredEvent(body: Uint8Array): StoredEvent {
  try {
    return JSON.parse(utf8Text(body)) as StoredEvent;
  } catch (cause) {
    throw new EventManagerError('corrupt_record', 'The stored event cannot be read as JSON.', {}, cause);
  }
}

/** Reads a stored body, frozen as `reviveEvent` says. Throws `corrupt_record`. */
export function decodeEvent(body: Uint8Array): Event {
  return reviveEvent(decodeStoredEvent(body));
}
