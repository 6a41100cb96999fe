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
  readonly payload: JsonObject;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
}

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

/** The text of the one JSON encoding an event ever gets; `undefined` values are left out. */
export function eventText(event: StoredEvent): string {
  return JSON.stringify(event);
}

/**
 * The bytes of that text, once ingest has looked it over. Small bodies share pooled memory, which is why nobody may write to
 * a body or transfer its buffer.
 */
export function encodeEvent(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
