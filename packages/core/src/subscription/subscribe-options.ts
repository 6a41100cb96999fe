/** What a request to subscribe may hold, for compilers and editors; `subscription-fields.ts` says it to the reader. */
import type { RelevanceContextIn } from '../context/context.ts';
import type { EventPriority, PriorityName } from '../event/priority.ts';
import type { FilterIn } from '../filter/filter-in.ts';
import type { Spelled } from '../json/spelled.ts';
import type { RETRY_SPELLINGS } from '../retry/retry-fields.ts';
import type { RetryPolicy } from '../retry/retry-policy.ts';
import type { BREAKER_SPELLINGS, BreakerPolicy } from './options/failure-options.ts';
import type { OPTION_SPELLINGS, SUBSCRIPTION_SPELLINGS } from './subscription-fields.ts';

type Moment = Date | string | number;
type Start = Spelled<{ cursor: string; timeMs: Moment }, { time: 'timeMs' }>;

/** Of a fallback that is no text. */
export interface FallbackIn {
  readonly endpoint: string;
  readonly secret?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** By their settled names; `docs/subscriptions.md` has the defaults. */
export interface OptionValues {
  /** The least urgent priority it wants. */
  priority: EventPriority | PriorityName;
  /** Events in one call of a `batchHandler` or one request of a webhook. */
  batchSize: number;
  /** Calls under way at once. */
  maxConcurrency: number;
  /** Time for one call, milliseconds. */
  timeoutMs: number;
  /** Deliveries claimed, or settled but not durably yet: the most that a crash can deliver again. */
  inFlightMax: number;
  retryPolicy: Spelled<RetryPolicy, typeof RETRY_SPELLINGS>;
  /** Topic of an event that tells of each dead letter. */
  deadLetterTopic: string;
  /** Where a new subscription begins. */
  startFrom: 'latest' | 'earliest' | Start;
  /** Attempts nothing for a while after so many failures in a row. */
  breaker: boolean | Spelled<BreakerPolicy, typeof BREAKER_SPELLINGS>;
  /** Nothing but failures for so long stops it, milliseconds; 0 never. */
  disableAfterMs: number;
  /** `false`: no event on `deadLetterTopic`. */
  useDLQ: boolean;
  /** Attempts in any 60 seconds; the rest waits. 0: no limit. */
  rateLimitPerMinute: number;
  /** How long a batch may wait for company while the receiver is busy, milliseconds. */
  flushIntervalMs: number;
  /** `true` is a `batchSize` of 20 and a `flushIntervalMs` of 100. */
  smartBatching: boolean;
  /** An event counts one priority more urgent for each such time that it has waited, milliseconds. 0: never. */
  agingMs: number;
  /** What comes one after the other: the events of one topic, or of one ordering key. */
  order: 'none' | 'topic' | 'key';
  /** Path of `payload` or `metadata` where an event has its key. */
  orderingKey: string;
  /** What a failure means for the later events of its key. */
  onFailure: 'block' | 'park' | 'skip';
  /** Which deliveries leave a record when they are over: those that failed or waited (the default), all, or none. */
  deliveryLog: 'failures' | 'full' | 'off';
  realtime: boolean;
  /** Webhook that serves while nobody is connected; `false` takes it away. */
  fallbackWebhook: string | FallbackIn | false;
  /** Of a `ws` endpoint: a ping goes out so often, milliseconds. */
  heartbeatMs: number;
  /** Of a `ws` endpoint: tries that may fail before the receiver counts as away. */
  reconnectAttempts: number;
  /** Of a `ws` endpoint: deliveries under way or waiting for the connection. */
  bufferSize: number;
  /** Of a `ws` endpoint: offers to compress frames. */
  compression: boolean;
}

export type SubscribeOptions = Spelled<OptionValues, typeof OPTION_SPELLINGS>;

/** All of a request but its topic and its handlers, which depend on the events. */
export interface RequestValues {
  /** With a name the subscription outlives its process. */
  name: string;
  /** The service that owns it. */
  subscriber: string;
  /** URL of a webhook, or of a WebSocket that the bus connects to. */
  endpoint: string;
  /** Signs what is sent to the endpoint: `whsec_` and base64. */
  secret: string;
  /** More headers of the request to the endpoint. */
  headers: Readonly<Record<string, string>>;
  /** Only a check that it agrees with the rest. */
  connectionType: string;
  /** What else an event must be. */
  filter: FilterIn;
  /** Whom it works for, instead of what its subscriber registered. */
  context: RelevanceContextIn;
  options: SubscribeOptions;
  /** With an `http` endpoint: sockets come first, the endpoint is their fallback. */
  realtime: boolean;
  /** Webhook that serves while nobody is connected; `false` takes it away. */
  fallbackWebhook: string | FallbackIn | false;
}

export type SubscriptionFields = Spelled<RequestValues, typeof SUBSCRIPTION_SPELLINGS>;
