import { each, type MetricRow, one } from './metric-row.ts';

/** The way out. */
export const DELIVERY_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_events_processed_total',
    type: 'counter',
    help: 'Deliveries that a receiver took.',
    asks: ['eventsProcessed', 'eventsProcessedTotal'],
    read: ({ metrics }) => one(metrics.eventsProcessed),
  },
  {
    name: 'eventmanager_events_failed_total',
    type: 'counter',
    help: 'Deliveries whose attempt failed, whatever followed.',
    asks: ['eventsFailed', 'Error Rate'],
    read: ({ metrics }) => one(metrics.eventsFailed),
  },
  {
    name: 'eventmanager_events_retried_total',
    type: 'counter',
    help: 'Deliveries that failed and were put off to another attempt.',
    asks: ['eventsRetried'],
    read: ({ metrics }) => one(metrics.eventsRetried),
  },
  {
    name: 'eventmanager_dead_letters_total',
    type: 'counter',
    help: 'Dead letters made since the start.',
    asks: ['deadLetterCount'],
    read: ({ metrics }) => one(metrics.deadLetterCount),
  },
  {
    name: 'eventmanager_deliveries_passed_total',
    type: 'counter',
    help: 'Deliveries that ended without a receiver: expired, skipped (by the filter), withdrawn (no longer matching), removed (no longer readable); and stale answers, which came too late to count.',
    labels: ['outcome'],
    read({ metrics }) {
      const { expired, skipped, withdrawn, removed, stale } = metrics.deliveries;
      return each('outcome', { expired, skipped, withdrawn, removed, stale });
    },
  },
  {
    name: 'eventmanager_handler_duration_seconds',
    type: 'histogram',
    help: 'One call of a receiver, from its beginning to its outcome.',
    asks: ['handlerLatency'],
    read: ({ metrics }) => [{ latency: metrics.handlerLatency }],
  },
  {
    name: 'eventmanager_delivery_duration_seconds',
    type: 'histogram',
    help: 'From storing an event to its delivery, in whole milliseconds.',
    asks: ['endToEndLatency'],
    read: ({ metrics }) => [{ latency: metrics.endToEndLatency }],
  },
  {
    name: 'eventmanager_queue_wait_seconds',
    type: 'histogram',
    help: 'From storing an event to the beginning of its first attempt, by lane.',
    labels: ['lane'],
    read: ({ metrics }) => Object.entries(metrics.waitByLane).map(([lane, latency]) => ({ labels: { lane }, latency })),
  },
  {
    name: 'eventmanager_queue_depth',
    type: 'gauge',
    help: 'Deliveries in memory that wait for a first attempt, by lane.',
    labels: ['lane'],
    asks: ['Queue Depth'],
    read: ({ metrics }) => each('lane', metrics.queueDepthByLane),
  },
  {
    name: 'event_manager_queue_depth',
    type: 'gauge',
    help: 'Deliveries in memory that wait for a first attempt or a retry, all lanes together.',
    asks: ['queueDepth', 'event_manager_queue_depth'],
    read: ({ metrics }) => one(metrics.queueDepth),
  },
  {
    name: 'eventmanager_bodies',
    type: 'gauge',
    help: 'Bodies of events in memory.',
    read: ({ metrics }) => one(metrics.bodies),
  },
  {
    name: 'eventmanager_bodies_bytes',
    type: 'gauge',
    help: 'Bytes of those bodies.',
    asks: ['Memory Usage'],
    read: ({ metrics }) => one(metrics.bodyBytes),
  },
  {
    name: 'aas_webhook_failures',
    type: 'gauge',
    help: 'Failed deliveries to webhooks of the assistance service: those whose subscriber, name or host is aas or begins with aas-.',
    asks: ['aasWebhookFailures', 'aas_webhook_failures'],
    read: ({ assistanceWebhookFailures }) => one(assistanceWebhookFailures),
  },
];
