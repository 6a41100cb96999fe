import type { JsonObject, JsonValue } from '../json.ts';
import type { EventPriority, PriorityName } from './priority.ts';

/** An immutable fact, as it is stored and delivered. */
export interface Event<Payload = JsonObject> {
  /** UUID (RFC 9562), lower case. Version 7 when made here. */
  readonly id: string;
  /** What happened, for example `project.created`; at most 255 characters. */
  readonly type: string;
  /** The service that says so; at most 255 characters. */
  readonly source: string;
  /** When it happened, by the publisher's clock. */
  readonly timestamp: Date;
  /** Version of the payload, in the publisher's own words; `1.0` when it says nothing. It chooses no schema. */
  readonly version: string;
  /** Its place in the hierarchy, spelled as it was published. */
  readonly topic: string;
  readonly priority: EventPriority;
  readonly metadata: EventMetadata;
  readonly payload: Payload;
  /** Names the flow this event belongs to; at most 255 characters. */
  readonly correlationId?: string;
  /** Id of the event that caused this one; at most 255 characters. */
  readonly causationId?: string;
}

export interface EventMetadata {
  readonly projectId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly tags: readonly string[];
  /** Always 0 in the stored event: attempts belong to deliveries and travel beside the event. */
  readonly retryCount: number;
  /** Retries after the first attempt. Given by the publisher it beats the subscription's policy. */
  readonly maxRetries: number;
  /** After this moment the event is not delivered any more. */
  readonly expiresAt?: Date;
  /** Events with the same one come one after the other in subscriptions with `order: 'key'`; at most 255 characters. */
  readonly orderingKey?: string;
  readonly [key: string]: JsonValue | Date | undefined;
}

/** What a publisher hands in: `type`, `source` and `payload` are needed, the rest has defaults. */
export interface EventIn {
  readonly type: string;
  readonly source: string;
  readonly payload?: unknown;
  readonly id?: string | undefined;
  /** Defaults to the type with `.` read as the level separator. */
  readonly topic?: string | undefined;
  /** Name or number; `NORMAL` when absent. */
  readonly priority?: EventPriority | PriorityName | undefined;
  /** `Date`, RFC 3339 text, or milliseconds since 1970; now when absent. */
  readonly timestamp?: Date | string | number | undefined;
  readonly version?: string | undefined;
  readonly metadata?: EventMetadataIn | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  /** Not before this moment: kept durably until then. One that has passed means now. */
  readonly deliverAt?: Date | string | number | undefined;
  /** The same as a wait that begins with the acknowledgement. */
  readonly delayMs?: number | undefined;
}

export interface EventMetadataIn {
  readonly projectId?: string | undefined;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly maxRetries?: number | undefined;
  readonly expiresAt?: Date | string | number | undefined;
  readonly orderingKey?: string | undefined;
  readonly [key: string]: unknown;
}
