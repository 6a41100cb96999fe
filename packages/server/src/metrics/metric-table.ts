/**
 * Every metric of the product, one row each: what Prometheus sees, where the value comes from, and by what names it is asked for.
 * `docs/metrics.md` is written from it, and a test holds both equal to what `GET /metrics` answers.
 *
 * Names begin with `eventmanager_` and end in their base unit. The names that alert rules in use are written with stand beside
 * them. They are gauges also where they only grow: OpenMetrics, which Prometheus prefers, adds `_total` to the name of a counter.
 */
import { DELIVERY_ROWS } from './delivery-rows.ts';
import { EVENT_ROWS } from './event-rows.ts';
import { FAILURE_ROWS } from './failure-rows.ts';
import { INSTANCE_ROWS } from './instance-rows.ts';
import type { MetricRow } from './metric-row.ts';
import { PACE_ROWS } from './pace-rows.ts';
import { REALTIME_ROWS } from './realtime-rows.ts';
import { STATE_ROWS } from './state-rows.ts';
import { STORE_ROWS } from './store-rows.ts';
import { TIME_ROWS } from './time-rows.ts';

export const METRICS: readonly MetricRow[] = Object.freeze([
  ...EVENT_ROWS,
  ...STORE_ROWS,
  ...DELIVERY_ROWS,
  ...FAILURE_ROWS,
  ...PACE_ROWS,
  ...STATE_ROWS,
  ...REALTIME_ROWS,
  ...INSTANCE_ROWS,
  ...TIME_ROWS,
]);

/** What is asked for and belongs to the process: its metrics have the names that every Node program gives them. */
export const PROCESS_METRICS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  process_resident_memory_bytes: ['memoryUsage', 'Memory Usage'],
  process_cpu_seconds_total: ['cpuUsage'],
});

/**
 * What is asked for and has nothing to count yet. A series that is always 0 would say "all is well", or "not connected", of
 * something that is not there.
 */
export const ABSENT_METRICS: Readonly<Record<string, string>> = Object.freeze({
  aasWebSocketDisconnections: 'comes with the assistance service',
  aasEventsDelivered: 'comes with the assistance service',
  eventsDeliveredToAAS: 'comes with the assistance service',
  aasDeliveryLatency: 'comes with the assistance service',
  aasEventsPerMinute: 'comes with the assistance service',
  aasFilteredEvents: 'comes with the assistance service',
  aasBatchedEvents: 'comes with the assistance service',
  assistanceOpportunitiesIdentified: 'comes with the assistance service',
  proactiveSuggestionsGenerated: 'comes with the assistance service',
  userActionsTriggered: 'comes with the assistance service',
});
