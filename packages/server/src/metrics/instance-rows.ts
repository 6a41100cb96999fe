import type { EventMetrics } from '@event-manager/core';
import { each, type MetricRow, type MetricSample, type MetricsReading, one } from './metric-row.ts';

type Instances = NonNullable<EventMetrics['instances']>;

/** Where one process has the store there are no others to count. */
function ofInstances(read: (instances: Instances) => readonly MetricSample[]) {
  return ({ metrics: { instances } }: MetricsReading) => (instances ? read(instances) : []);
}

/** Several instances on one store. */
export const INSTANCE_ROWS: readonly MetricRow[] = [
  {
    name: 'eventmanager_instances',
    type: 'gauge',
    help: 'Instances that share the store and are heard of, this one among them.',
    read: ofInstances(({ live }) => one(live.length)),
  },
  {
    name: 'eventmanager_leases_held',
    type: 'gauge',
    help: 'Subscriptions whose lease this instance has.',
    read: ofInstances(({ leases }) => one(leases.held)),
  },
  {
    name: 'eventmanager_leases_total',
    type: 'counter',
    help: 'Leases that came (`what="acquired"`), were lost, and were given back for another instance (`moved`).',
    labels: ['what'],
    read: ofInstances(({ leases: { acquired, lost, moved } }) => each('what', { acquired, lost, moved })),
  },
  {
    name: 'eventmanager_letters_total',
    type: 'counter',
    help: 'Letters to and from other instances, and questions to them that got no answer.',
    labels: ['what'],
    read: ofInstances(({ letters }) => each('what', { ...letters })),
  },
  {
    name: 'eventmanager_members_remote',
    type: 'gauge',
    help: 'Handlers and sockets of other instances to which this one hands deliveries.',
    read: ofInstances(({ members }) => one(members.remote)),
  },
  {
    name: 'eventmanager_remote_deliveries_total',
    type: 'counter',
    help: 'Deliveries handed to other instances, and those of them that were given back.',
    labels: ['what'],
    read: ofInstances(({ members: { handed, givenBack } }) => each('what', { handed, given_back: givenBack })),
  },
];
