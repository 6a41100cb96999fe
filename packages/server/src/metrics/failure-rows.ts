import type { BreakerState } from '@event-manager/core';
import { each, type MetricRow, one } from './metric-row.ts';
import { perSubscription } from './state-rows.ts';

const STATE_NUMBERS: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** Receivers that fail, as a whole. */
export const FAILURE_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_breakers',
    type: 'gauge',
    help: 'Circuit breakers of subscriptions that are served here, by state: closed, open, half-open.',
    labels: ['state'],
    read: ({ metrics }) => each('state', metrics.receivers.breakers),
  },
  {
    name: 'eventmanager_breaker_opened_total',
    type: 'counter',
    help: 'Breakers that opened; a probe that fails opens none anew.',
    read: ({ metrics }) => one(metrics.receivers.breakersOpened),
  },
  {
    name: 'eventmanager_breaker_closed_total',
    type: 'counter',
    help: 'Breakers that closed because the receiver took something again.',
    read: ({ metrics }) => one(metrics.receivers.breakersClosed),
  },
  {
    name: 'eventmanager_subscription_breaker_state',
    type: 'gauge',
    help: '0 closed, 1 half-open, 2 open; only of subscriptions that have one.',
    labels: ['subscription'],
    read: (reading) => perSubscription(reading, ({ breaker }) => breaker && STATE_NUMBERS[breaker]),
  },
  {
    name: 'eventmanager_receiver_pauses_total',
    type: 'counter',
    help: 'Pauses that receivers asked for, by 429 or 503 with Retry-After.',
    read: ({ metrics }) => one(metrics.receivers.pauses),
  },
  {
    name: 'eventmanager_stopped_subscriptions',
    type: 'gauge',
    help: 'Subscriptions that deliver nothing until somebody resumes them.',
    read: ({ subscriptionsStopped }) => one(subscriptionsStopped),
  },
  {
    name: 'eventmanager_subscriptions_stopped_total',
    type: 'counter',
    help: 'Subscriptions that were stopped: gone (410), or failing (nothing but failures for disableAfterMs).',
    labels: ['reason'],
    read: ({ metrics }) => each('reason', { gone: metrics.receivers.gone, failing: metrics.receivers.disabled }),
  },
];
