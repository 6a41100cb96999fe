import type { RelevanceContext } from '../context/context.ts';
import type { Place } from '../contracts/event-store.ts';
import type { EventPriority } from '../event/priority.ts';
import type { Filter } from '../filter/filter.ts';
import type { RetryPolicy } from '../retry/retry-policy.ts';
import type { DeliveryLogOptions } from './options/delivery-log-options.ts';
import type { FailureOptions } from './options/failure-options.ts';
import type { OrderOptions } from './options/order-options.ts';
import type { PaceOptions } from './options/pace-options.ts';
import type { RealtimeOptions } from './options/realtime-options.ts';

/** A subscription as it is stored: JSON values only. */
export interface SubscriptionDefinition {
  readonly id: string;
  /** A named subscription outlives its process: events are owed to it while nobody serves it. */
  readonly name?: string;
  /** The service that owns it. */
  readonly subscriber?: string;
  /** Topic pattern, spelled as it was given. */
  readonly topic: string;
  readonly filter?: Filter;
  /** Its own, used instead of the one that its subscriber registered. */
  readonly context?: RelevanceContext;
  readonly sink: SubscriptionSink;
  readonly options: SubscriptionOptions;
  /** `paused` and `stopped` deliver nothing; what they are owed waits. `stopped` is the receiver's or the bus's doing. */
  readonly state: 'active' | 'paused' | 'stopped';
  /** While it is stopped. */
  readonly stoppedReason?: StoppedReason;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Where it began: everything behind this place that it wants is owed. Whoever sets it back changes that; definitions of earlier versions do not say. */
  readonly startsBehind?: Place;
  /** When it was last changed otherwise than in its state; absent where it never was. */
  readonly definedAtMs?: number;
}

/** Why nothing is delivered until somebody resumes. */
export interface StoppedReason {
  /** `failing`: nothing but failures for `disableAfterMs`. Else what the receiver said, such as `http_410`. */
  readonly code: string;
  readonly message: string;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
}

export type SubscriptionSink =
  /** A function of the process that subscribed. */
  | { readonly kind: 'handler'; readonly fallback?: Fallback }
  | {
      readonly kind: 'webhook';
      readonly endpoint: string;
      /** Signs the deliveries (Standard Webhooks). */
      readonly secret?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A connection that the subscriber opened to us. */
  | { readonly kind: 'socket'; readonly fallback?: Fallback }
  /** A connection that we open to the subscriber. */
  | ({
      readonly kind: 'websocket';
      readonly endpoint: string;
      /** Signs the request for the connection. */
      readonly secret?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly fallback?: Fallback;
    } & RealtimeOptions)
  /** The subscriber asks for its deliveries. */
  | { readonly kind: 'pull' };

/** The webhook that serves while nobody is connected. */
export interface Fallback {
  readonly endpoint: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SubscriptionOptions extends OrderOptions, FailureOptions, PaceOptions, DeliveryLogOptions {
  /** The least urgent priority it wants. */
  readonly priority?: EventPriority;
  /** Deliveries handed to the sink at once. */
  readonly batchSize: number;
  /** Calls of the sink under way at once. */
  readonly maxConcurrency: number;
  /** Time for one call of the sink, milliseconds. */
  readonly timeoutMs: number;
  /** Deliveries claimed or settled but not yet durably settled: the most that a crash can duplicate. */
  readonly inFlightMax: number;
  readonly retry: RetryPolicy;
  /** Topic of the event that tells about a dead letter. */
  readonly deadLetterTopic?: string;
  /** Where a new subscription begins. A subscription that exists goes on where it stands. */
  readonly startFrom: StartFrom;
}

export type StartFrom = 'latest' | 'earliest' | { readonly cursor: string } | { readonly timeMs: number };

/** What a subscriber decides; the rest of the definition is given by the engine. */
export type SubscriptionRequest = Omit<
  SubscriptionDefinition,
  'id' | 'createdAtMs' | 'updatedAtMs' | 'state' | 'startsBehind' | 'definedAtMs'
>;
