import { each, type MetricRow, one } from './metric-row.ts';

/** The way in, and what is kept. */
export const EVENT_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_events_published_total',
    type: 'counter',
    help: 'Events stored; duplicates are not among them.',
    asks: ['eventsPublished', 'eventsPublishedTotal', 'Event Throughput'],
    read: ({ metrics }) => one(metrics.eventsPublished),
  },
  {
    name: 'eventmanager_events_duplicate_total',
    type: 'counter',
    help: 'Events that were there already under the same id.',
    read: ({ metrics }) => one(metrics.duplicates),
  },
  {
    name: 'eventmanager_events_rejected_total',
    type: 'counter',
    help: 'Events that were refused, by error code.',
    labels: ['code'],
    asks: ['Error Rate'],
    read: ({ metrics }) => each('code', metrics.rejected),
  },
  {
    name: 'eventmanager_events_unacknowledged',
    type: 'gauge',
    help: 'Events that were handed in and are not acknowledged yet.',
    read: ({ metrics }) => one(metrics.unacknowledged),
  },
  {
    name: 'eventmanager_publish_duration_seconds',
    type: 'histogram',
    help: 'From handing an event in to its acknowledgement.',
    asks: ['publishLatency'],
    read: ({ metrics }) => [{ latency: metrics.publishLatency }],
  },
  {
    name: 'eventmanager_log_head_position',
    type: 'gauge',
    help: 'The last position of the log.',
    read: ({ metrics }) => one(metrics.head),
  },
  {
    name: 'eventmanager_system_events_total',
    type: 'counter',
    help: 'Events under $sys by what became of them: published, suppressed (one per kind and subject a minute), failed (not stored).',
    labels: ['outcome'],
    read: ({ metrics }) => each('outcome', { ...metrics.systemEvents }),
  },
];
