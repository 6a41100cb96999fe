import type { BreakerState, EventMetrics, LatencySummary, ProgressState } from '@event-manager/core';
import type { Phase } from '../life.ts';

/** A durable subscription that is served here, as metrics see it. */
export interface SubscriptionReading {
  /** Its name, or its id when it has none. */
  readonly label: string;
  readonly state: ProgressState;
  readonly lag: number;
  /** Seconds since 1970; absent when there was no progress since it is served here. */
  readonly lastProgressAt?: number;
  /** Absent where it has none. */
  readonly breaker?: BreakerState;
  /** How long the first delivery that waits for a first attempt has waited. */
  readonly oldestSeconds: number;
  /** Absent for one that is not reached by a connection. */
  readonly isConnected?: boolean;
}

/** Everything that one scrape is made of, read once. */
export interface MetricsReading {
  readonly metrics: EventMetrics;
  readonly version: string;
  readonly adapter: string;
  readonly durability: string;
  readonly phase: Phase;
  readonly isReady: boolean;
  /** Event streams of clients. */
  readonly clientStreams: number;
  /** Connections to the HTTP server. */
  readonly connections: number;
  /** Those of them that are WebSockets. */
  readonly webSockets: number;
  /** The first so many; every one more would be a series more for ever. */
  readonly subscriptions: readonly SubscriptionReading[];
  /** Those beyond them. */
  readonly subscriptionsUnlisted: number;
  /** Those that deliver nothing until somebody resumes them. */
  readonly subscriptionsStopped: number;
  /** Failed deliveries to the webhooks of an assistance service. */
  readonly assistanceWebhookFailures: number;
  /** All its realtime subscriptions are connected; absent where it has none. */
  readonly isAssistanceConnected?: boolean;
}

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

interface AnyRow {
  readonly name: string;
  readonly help: string;
  /** Every label that a sample can have. */
  readonly labels?: readonly string[];
  /** Names by which the specification and its relatives ask for it. */
  readonly asks?: readonly string[];
}

export interface NumberRow extends AnyRow {
  readonly type: 'counter' | 'gauge';
  read(reading: MetricsReading): readonly MetricSample[];
}

export interface LatencyRow extends AnyRow {
  readonly type: 'histogram';
  read(reading: MetricsReading): readonly { labels?: Readonly<Record<string, string>>; latency: LatencySummary }[];
}

export type MetricRow = NumberRow | LatencyRow;

/** One sample without labels. */
export function one(value: number): readonly MetricSample[] {
  return [{ value }];
}

/** A sample for each entry of an object, with the key as the value of a label. */
export function each(label: string, values: Readonly<Record<string, number>>): readonly MetricSample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
}
