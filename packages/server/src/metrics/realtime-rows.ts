import { type MetricRow, type MetricSample, one } from './metric-row.ts';

/** Subscriptions that are reached by a connection, and their fallbacks. */
export const REALTIME_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_realtime_subscriptions',
    type: 'gauge',
    help: 'Subscriptions whose receiver is reached by a connection, by whether there is one.',
    labels: ['state'],
    read({ metrics: { realtime } }) {
      const { connected, disconnected } = realtime;
      return [sample('connected', connected), sample('disconnected', disconnected)];
    },
  },
  {
    name: 'eventmanager_realtime_connected',
    type: 'gauge',
    help: '1 while the receiver of a subscription with a connection is connected, 0 while it is not.',
    labels: ['subscription'],
    read: ({ subscriptions }) =>
      subscriptions.flatMap(({ label, isConnected }) =>
        isConnected === undefined ? [] : [{ labels: { subscription: label }, value: Number(isConnected) }],
      ),
  },
  {
    name: 'eventmanager_fallback_active',
    type: 'gauge',
    help: 'Subscriptions that their fallback webhook serves now.',
    read: ({ metrics }) => one(metrics.realtime.onFallback),
  },
  {
    name: 'eventmanager_fallback_switches_total',
    type: 'counter',
    help: 'How often a fallback webhook began to serve (`to="fallback"`) and the connection was back (`to="realtime"`).',
    labels: ['to'],
    read({ metrics: { realtime } }) {
      const { fallbacksBegan, fallbacksEnded } = realtime;
      return [
        { labels: { to: 'fallback' }, value: fallbacksBegan },
        { labels: { to: 'realtime' }, value: fallbacksEnded },
      ];
    },
  },
  {
    name: 'aas_websocket_connected',
    type: 'gauge',
    help: '1 while every realtime subscription of the assistance service is connected, 0 while one is not; absent without one. Its are those whose subscriber, name or host is aas or begins with aas-.',
    asks: ['aas_websocket_connected'],
    read: ({ isAssistanceConnected }) =>
      isAssistanceConnected === undefined ? [] : one(Number(isAssistanceConnected)),
  },
];

function sample(state: string, value: number): MetricSample {
  return { labels: { state }, value };
}
