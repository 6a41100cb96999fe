import type { DeliveryCounts } from '../dispatch/delivery-counts.ts';
import type { ReceiverMetrics } from '../dispatch/failure/receiver-status.ts';
import type { PriorityName } from '../event/priority.ts';
import type { RetentionCounts } from '../retention/retention-counts.ts';
import type { ScheduleCounts } from '../schedule/schedule-counts.ts';
import type { Instances } from '../subscription/elsewhere/instances.ts';
import type { RealtimeMetrics } from './realtime-metrics.ts';

/** A distribution of waits, in milliseconds. The quantiles are estimated inside a bucket, as Prometheus estimates them. */
export interface LatencySummary {
  readonly count: number;
  /** Of all waits together. */
  readonly sum: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** How many waits took at most `le`; the count above the last bound is `count`. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

/** How the store is, and what it tells of its own size where it can. */
export interface StoreMetrics {
  /** It answers. */
  readonly isUp: boolean;
  /** Something is away that it can do without. */
  readonly isImpaired: boolean;
  /** How long it did not answer, since the engine was opened. */
  readonly unavailableSeconds: number;
  /** Calls of a server that failed, by code; those that succeeded when they were tried again are among them. */
  readonly errors: Readonly<Record<string, number>>;
  /** To a server: those that do something, those that wait for it, and calls that wait for one. */
  readonly connections?: { readonly used: number; readonly idle: number; readonly waiting: number };
  readonly segments?: number;
  readonly bytes?: number;
}

export type ByLane<Value> = Readonly<Record<PriorityName, Value>>;

/**
 * What the engine counted since it was opened, and how it is now. The first block has the names of the specification;
 * `docs/metrics.md` says which Prometheus metric each one is.
 */
export interface EventMetrics {
  /** Events stored; duplicates are not among them. */
  readonly eventsPublished: number;
  /** Deliveries that a receiver took. */
  readonly eventsProcessed: number;
  /** Deliveries that failed and were put off to another attempt. */
  readonly eventsRetried: number;
  /** Deliveries whose attempt failed, whatever followed. */
  readonly eventsFailed: number;
  /** From handing an event in to its acknowledgement. */
  readonly publishLatency: LatencySummary;
  /** One call of a receiver, from its beginning to its outcome. */
  readonly handlerLatency: LatencySummary;
  /** From storing an event to its delivery. The log keeps whole milliseconds, so one millisecond is its resolution. */
  readonly endToEndLatency: LatencySummary;
  /** Deliveries in memory that wait for a first attempt, and those that wait for a retry. */
  readonly queueDepth: number;
  /** Subscriptions that are served here and not paused or stopped. */
  readonly activeSubscriptions: number;
  /** Dead letters made since the start. */
  readonly deadLetterCount: number;
  /** Resident memory of the process, in bytes. */
  readonly memoryUsage: number;
  /** Processor time of the process, in seconds: the growth between two readings is the load. */
  readonly cpuUsage: number;

  /** Events that were there already under the same id. */
  readonly duplicates: number;
  /** Events that were refused, by error code. */
  readonly rejected: Readonly<Record<string, number>>;
  /** What became of deliveries, all subscriptions together. */
  readonly deliveries: Readonly<DeliveryCounts>;
  /** How the receivers of deliveries are, where they have an endpoint or a breaker. */
  readonly receivers: ReceiverMetrics;
  readonly queueDepthByLane: ByLane<number>;
  /** From storing an event to the beginning of its first attempt. */
  readonly waitByLane: ByLane<LatencySummary>;
  /** How long the first event that waits for a first attempt has waited, milliseconds; 0 when none does. */
  readonly oldestWaitByLane: ByLane<number>;
  /** Subscriptions with something to deliver that have used up the rate they are limited to. */
  readonly rateLimitedSubscriptions: number;
  /** Subscriptions for which events wait in the log because a lane was full, or because they have just been taken up. */
  readonly readingBackSubscriptions: number;
  /** Events that were handed in and are not acknowledged yet. */
  readonly unacknowledged: number;
  /** All that are known, served here or not. */
  readonly subscriptions: number;
  /** Subscribers that said whom they work for. */
  readonly contexts: number;
  readonly stalledSubscriptions: number;
  /** Keys of ordered subscriptions whose later events wait for a retry, or for their turn after one. */
  readonly blockedKeys: number;
  /** Those that somebody has to release. */
  readonly parkedKeys: number;
  /** Deliveries that the subscription furthest behind may still have to make. */
  readonly lagMax: number;
  readonly streams: number;
  /** Handlers and sockets that are attached, and askers that wait for deliveries. */
  readonly members: number;
  /** Absent where one process has the store, or its adapter carries no letters. */
  readonly instances?: Instances;
  /** Bodies of events in memory. */
  readonly bodies: number;
  readonly bodyBytes: number;
  /** The last position of the log. */
  readonly head: number;
  readonly store: StoreMetrics;
  readonly realtime: RealtimeMetrics;
  /** Events for later: how many wait, and what became of the others. */
  readonly schedule: Readonly<ScheduleCounts>;
  /** What left the log, and how large and old it was when retention looked last; without a policy nothing is looked at. */
  readonly retention: Readonly<RetentionCounts>;
  /** Parts of replays, redrives and discards that go on here, and deliveries that were replayed here. */
  readonly runs: { readonly open: number; readonly replayed: number };
  /** Events about the bus itself, by what became of them. */
  readonly systemEvents: { readonly published: number; readonly suppressed: number; readonly failed: number };
}
