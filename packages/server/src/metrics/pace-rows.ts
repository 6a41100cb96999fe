import { each, type MetricRow, one } from './metric-row.ts';
import { perSubscription } from './state-rows.ts';

const MS_PER_SECOND = 1_000;

/** How long deliveries wait. */
export const PACE_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_queue_oldest_seconds',
    type: 'gauge',
    help: 'How long the first delivery that waits for a first attempt has waited, by lane; 0 when none does.',
    labels: ['lane'],
    read({ metrics }) {
      const entries = Object.entries(metrics.oldestWaitByLane).map(([lane, ms]) => [lane, ms / MS_PER_SECOND] as const);
      return each('lane', Object.fromEntries(entries));
    },
  },
  {
    name: 'eventmanager_subscription_oldest_seconds',
    type: 'gauge',
    help: 'The same for a subscription with a name or endpoint, over its lanes.',
    labels: ['subscription'],
    read: (reading) => perSubscription(reading, ({ oldestSeconds }) => oldestSeconds),
  },
  {
    name: 'eventmanager_subscriptions_rate_limited',
    type: 'gauge',
    help: 'Subscriptions with something to deliver that have used up the rate they are limited to.',
    read: ({ metrics }) => one(metrics.rateLimitedSubscriptions),
  },
  {
    name: 'eventmanager_subscriptions_reading_back',
    type: 'gauge',
    help: 'Subscriptions for which events wait in the log: a lane was full, or they have just been taken up.',
    read: ({ metrics }) => one(metrics.readingBackSubscriptions),
  },
];
