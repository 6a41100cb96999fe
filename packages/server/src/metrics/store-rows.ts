import { each, type MetricRow, one } from './metric-row.ts';

/** Where events are kept: how it is, and how large. */
export const STORE_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_store_up',
    type: 'gauge',
    help: '1 while the store answers; 0 while its server cannot be reached, and after a failure.',
    read: ({ metrics: { store } }) => one(Number(store.isUp)),
  },
  {
    name: 'eventmanager_store_impaired',
    type: 'gauge',
    help: '1 while something is away that the store can do without: a Redis beside the database. Everything goes on, only slower.',
    read: ({ metrics: { store } }) => one(Number(store.isImpaired)),
  },
  {
    name: 'eventmanager_store_unavailable_seconds_total',
    type: 'counter',
    help: 'How long the server of the store could not be reached.',
    read: ({ metrics: { store } }) => one(store.unavailableSeconds),
  },
  {
    name: 'eventmanager_store_errors_total',
    type: 'counter',
    help: 'Calls of the server of the store that failed, by code; those that succeeded when they were tried again are among them.',
    labels: ['code'],
    read: ({ metrics: { store } }) => each('code', store.errors),
  },
  {
    name: 'eventmanager_store_connections',
    type: 'gauge',
    help: 'Connections to the server of the store by state: used, idle; and calls that wait for one: waiting.',
    labels: ['state'],
    asks: ['connectionPool'],
    read: ({ metrics: { store } }) => (store.connections === undefined ? [] : each('state', store.connections)),
  },
  {
    name: 'eventmanager_store_segments',
    type: 'gauge',
    help: 'Files of the log, where the adapter keeps files.',
    read: ({ metrics: { store } }) => (store.segments === undefined ? [] : one(store.segments)),
  },
  {
    name: 'eventmanager_store_size_bytes',
    type: 'gauge',
    help: 'Size of the log, where the adapter knows it.',
    read: ({ metrics: { store } }) => (store.bytes === undefined ? [] : one(store.bytes)),
  },
];
