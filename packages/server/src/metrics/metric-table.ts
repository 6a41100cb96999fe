/**
 * Every metric of the product, one row each: what Prometheus sees, where the value comes from, and by what names the
 * specification asks for it. `docs/metrics.md` is held equal to it.
 *
 * Names begin with `eventmanager_` and end in their base unit. Three names that alert rules in use are written with stand beside
 * them. They are gauges also where they only grow: OpenMetrics, which Prometheus prefers, adds `_total` to the name of a counter.
 */
import { DELIVERY_ROWS } from './delivery-rows.ts';
import { EVENT_ROWS } from './event-rows.ts';
import type { MetricRow } from './metric-row.ts';
import { STATE_ROWS } from './state-rows.ts';

export const METRICS: readonly MetricRow[] = Object.freeze([...EVENT_ROWS, ...DELIVERY_ROWS, ...STATE_ROWS]);
