import { each, type MetricRow, one } from './metric-row.ts';

const MS_PER_SECOND = 1_000;

/** What waits for its time, and what is removed when its time is over. */
export const TIME_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_scheduled_waiting',
    type: 'gauge',
    help: 'Events that were accepted and wait for their time.',
    read: ({ metrics }) => one(metrics.schedule.waiting),
  },
  {
    name: 'eventmanager_scheduled_total',
    type: 'counter',
    help: 'Events for later by what became of them: accepted, and then published, cancelled, expired or refused.',
    labels: ['outcome'],
    read({ metrics }) {
      const { waiting: _waiting, ...outcomes } = metrics.schedule;
      return each('outcome', outcomes);
    },
  },
  {
    name: 'eventmanager_runs_open',
    type: 'gauge',
    help: 'Parts of replays, redrives and discards that go on here, the paused ones among them.',
    read: ({ metrics }) => one(metrics.runs.open),
  },
  {
    name: 'eventmanager_replayed_total',
    type: 'counter',
    help: 'Deliveries that succeeded because of a replay; no other metric counts them.',
    read: ({ metrics }) => one(metrics.runs.replayed),
  },
  {
    name: 'eventmanager_log_events',
    type: 'gauge',
    help: 'Events in the log when retention looked last; absent without a retention policy.',
    read: ({ metrics: { retention } }) => some(retention.log?.events),
  },
  {
    name: 'eventmanager_log_first_timestamp_seconds',
    type: 'gauge',
    help: 'When the oldest event of the log was stored; absent without a retention policy, and of an empty log.',
    read: ({ metrics: { retention } }) => {
      const firstAtMs = retention.log?.firstAtMs;
      return some(firstAtMs === undefined ? undefined : firstAtMs / MS_PER_SECOND);
    },
  },
  {
    name: 'eventmanager_retention_removed_events_total',
    type: 'counter',
    help: 'Events that retention removed from the log.',
    read: ({ metrics: { retention } }) => one(retention.removedEvents),
  },
  {
    name: 'eventmanager_retention_removed_bytes_total',
    type: 'counter',
    help: 'Bytes of their bodies.',
    read: ({ metrics: { retention } }) => one(retention.removedBytes),
  },
  {
    name: 'eventmanager_retention_removed_debts_total',
    type: 'counter',
    help: 'Deliveries that were owed still when their event was removed; also among the deliveries that were removed.',
    read: ({ metrics: { retention } }) => one(retention.removedDebts),
  },
  {
    name: 'eventmanager_retention_holding_subscriptions',
    type: 'gauge',
    help: 'Subscriptions that hold back events which are due to be removed, because they are owed them.',
    read: ({ metrics: { retention } }) => one(retention.holding),
  },
];

function some(value: number | undefined) {
  return value === undefined ? [] : one(value);
}
