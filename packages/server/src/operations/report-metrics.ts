import type { EventMetrics, LaneStatus, Principal, SubscriptionDefinition } from '@event-manager/core';
import type { MetricsReading, SubscriptionReading } from '../metrics/metric-row.ts';
import { VERSION } from '../version.ts';
import type { OperationContext } from './operation-context.ts';
import { whyNotReady } from './report-health.ts';

/** Subscriptions with series of their own, in the order of creation: a monitoring system must not grow with ours. */
const LISTED_MAX = 200;
const MS_PER_SECOND = 1_000;

/** The metrics as an object, as the embedded bus gives them. */
export function reportMetrics(context: OperationContext, _principal: Principal): EventMetrics {
  return context.engine.metrics();
}

/** Everything that Prometheus is told. */
export function readForMonitoring(context: OperationContext, principal: Principal): MetricsReading {
  const { engine, life, durability, streams, connections } = context;
  const definitions = engine.subscriptions.list(principal);
  const listable = definitions.filter(
    ({ name, sink }) => name !== undefined || sink.kind === 'webhook' || sink.kind === 'websocket',
  );
  return {
    metrics: engine.metrics(),
    version: VERSION,
    adapter: engine.health().adapter.name,
    durability,
    phase: life.phase,
    isReady: whyNotReady(context) === undefined,
    clientStreams: streams.size,
    connections: connections.open,
    webSockets: connections.webSockets,
    subscriptions: listable.slice(0, LISTED_MAX).flatMap((definition) => readingOf(context, principal, definition)),
    subscriptionsUnlisted: Math.max(0, listable.length - LISTED_MAX),
    subscriptionsStopped: definitions.filter(({ state }) => state === 'stopped').length,
    ...assistanceReading(context, principal, definitions),
  };
}

function readingOf(
  { engine }: OperationContext,
  principal: Principal,
  { id, name }: SubscriptionDefinition,
): SubscriptionReading[] {
  const { state, lag, lastProgressAt, receiver, lanes, realtime } = engine.subscriptions.status(principal, id);
  if (lag === undefined) return [];
  const label = name ?? id;
  return [
    {
      ...{ label, state, lag },
      oldestSeconds:
        Math.max(0, ...Object.values(lanes ?? {}).map(({ oldestMs = 0 }: LaneStatus) => oldestMs)) / MS_PER_SECOND,
      ...(lastProgressAt ? { lastProgressAt: Date.parse(lastProgressAt) / MS_PER_SECOND } : {}),
      ...(receiver?.breaker ? { breaker: receiver.breaker } : {}),
      ...(realtime ? { isConnected: realtime.connected } : {}),
    },
  ];
}

type AssistanceReading = Pick<MetricsReading, 'assistanceWebhookFailures' | 'isAssistanceConnected'>;

function assistanceReading(
  { engine }: OperationContext,
  principal: Principal,
  definitions: readonly SubscriptionDefinition[],
): AssistanceReading {
  const statuses = definitions.filter(isForAssistance).map(({ id }) => engine.subscriptions.status(principal, id));
  const connections = statuses.flatMap(({ realtime }) => (realtime ? [realtime.connected] : []));
  return {
    assistanceWebhookFailures: statuses.reduce((sum, { counts }) => sum + counts.failed, 0),
    ...(connections.length === 0 ? {} : { isAssistanceConnected: connections.every((connected) => connected) }),
  };
}

/** The assistance service (AAS) is known by its name: as subscriber, of the subscription or of a host that is called. */
function isForAssistance({ sink, subscriber, name }: SubscriptionDefinition): boolean {
  const endpoints = [sink, 'fallback' in sink ? sink.fallback : undefined].flatMap((way) =>
    way && 'endpoint' in way ? [way.endpoint] : [],
  );
  if (endpoints.length === 0) return false;
  const hosts = endpoints.map((endpoint) => URL.parse(endpoint)?.hostname);
  return [subscriber, name, ...hosts].some((word) => word !== undefined && /^aas(-|$)/i.test(word));
}
