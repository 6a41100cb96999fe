import { type MetricRow, type MetricSample, type MetricsReading, one, type SubscriptionReading } from './metric-row.ts';

/** How the service and its subscriptions are. */
export const STATE_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_subscriptions',
    type: 'gauge',
    help: 'Subscriptions that are known, served here or not.',
    read: ({ metrics }) => one(metrics.subscriptions),
  },
  {
    name: 'eventmanager_contexts',
    type: 'gauge',
    help: 'Subscribers that said whom they work for.',
    read: ({ metrics }) => one(metrics.contexts),
  },
  {
    name: 'eventmanager_subscriptions_active',
    type: 'gauge',
    help: 'Subscriptions that are served here and not paused or stopped.',
    asks: ['activeSubscriptions'],
    read: ({ metrics }) => one(metrics.activeSubscriptions),
  },
  {
    name: 'eventmanager_subscriptions_stalled',
    type: 'gauge',
    help: 'Subscriptions that could go on and do not; above 0 the service is not ready.',
    read: ({ metrics }) => one(metrics.stalledSubscriptions),
  },
  {
    name: 'eventmanager_subscriptions_unlisted',
    type: 'gauge',
    help: 'Durable subscriptions beyond those that have series of their own.',
    read: ({ subscriptionsUnlisted }) => one(subscriptionsUnlisted),
  },
  {
    name: 'eventmanager_subscription_lag_max',
    type: 'gauge',
    help: 'Deliveries that the subscription furthest behind may still have to make.',
    read: ({ metrics }) => one(metrics.lagMax),
  },
  {
    name: 'eventmanager_subscription_lag',
    type: 'gauge',
    help: 'Deliveries that a subscription with a name or endpoint may still have to make.',
    labels: ['subscription'],
    read: (reading) => perSubscription(reading, ({ lag }) => lag),
  },
  {
    name: 'eventmanager_subscription_last_progress_timestamp_seconds',
    type: 'gauge',
    help: 'When an attempt ended or an event was passed over.',
    labels: ['subscription'],
    read: (reading) => perSubscription(reading, ({ lastProgressAt }) => lastProgressAt),
  },
  {
    name: 'eventmanager_subscription_stalled',
    type: 'gauge',
    help: '1 for a subscription that could go on and does not.',
    labels: ['subscription'],
    read: (reading) => perSubscription(reading, ({ state }) => Number(state === 'stalled')),
  },
  {
    name: 'eventmanager_keys_blocked',
    type: 'gauge',
    help: 'Keys of ordered subscriptions whose later events wait for a retry, or for their turn after one.',
    read: ({ metrics }) => one(metrics.blockedKeys),
  },
  {
    name: 'eventmanager_keys_parked',
    type: 'gauge',
    help: 'Keys of ordered subscriptions that somebody has to release.',
    read: ({ metrics }) => one(metrics.parkedKeys),
  },
  {
    name: 'eventmanager_members',
    type: 'gauge',
    help: 'Handlers and sockets attached to subscriptions, and askers that wait for deliveries.',
    read: ({ metrics }) => one(metrics.members),
  },
  {
    name: 'eventmanager_streams',
    type: 'gauge',
    help: 'Reads of the log that are open.',
    read: ({ metrics }) => one(metrics.streams),
  },
  {
    name: 'eventmanager_connections',
    type: 'gauge',
    help: 'Connections to the port of the service.',
    read: ({ connections }) => one(connections),
  },
  {
    name: 'eventmanager_websockets',
    type: 'gauge',
    help: 'WebSockets that clients have open.',
    read: ({ webSockets }) => one(webSockets),
  },
  {
    name: 'eventmanager_ready',
    type: 'gauge',
    help: '1 while GET /readyz answers 200.',
    read: ({ isReady }) => one(Number(isReady)),
  },
  {
    name: 'eventmanager_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node', 'adapter', 'durability'],
    read: ({ version, adapter, durability }) => [
      { labels: { version, node: process.version, adapter, durability }, value: 1 },
    ],
  },
];

export function perSubscription(
  { subscriptions }: MetricsReading,
  read: (subscription: SubscriptionReading) => number | undefined,
): MetricSample[] {
  const samples: MetricSample[] = [];
  for (const subscription of subscriptions) {
    const value = read(subscription);
    if (value !== undefined) samples.push({ labels: { subscription: subscription.label }, value });
  }
  return samples;
}
