import type { SubscriptionDefinition, SubscriptionStatus } from '@event-manager/core';

/** A subscription as anybody may see it: no secret, and of the headers and the query only the names, because they often carry a token. */
export interface SubscriptionDescription {
  readonly id: string;
  readonly name?: string;
  readonly subscriber?: string;
  readonly topic: string;
  readonly filter?: SubscriptionDefinition['filter'];
  readonly context?: SubscriptionDefinition['context'];
  readonly connectionType: SubscriptionDefinition['sink']['kind'];
  readonly endpoint?: string;
  /** True when deliveries are signed. */
  readonly signed?: boolean;
  readonly headerNames?: readonly string[];
  readonly options: SubscriptionDefinition['options'];
  readonly state: SubscriptionDefinition['state'];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: SubscriptionStatus;
}

export function describeSubscription(
  definition: SubscriptionDefinition,
  status: SubscriptionStatus,
): SubscriptionDescription {
  const { id, name, subscriber, topic, filter, context, sink, options, state, createdAtMs, updatedAtMs } = definition;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(subscriber === undefined ? {} : { subscriber }),
    topic,
    ...(filter === undefined ? {} : { filter }),
    ...(context === undefined ? {} : { context }),
    connectionType: sink.kind,
    ...(sink.kind === 'webhook'
      ? {
          endpoint: withoutQueryValues(sink.endpoint),
          signed: sink.secret !== undefined,
          headerNames: Object.keys(sink.headers ?? {}),
        }
      : {}),
    options,
    state,
    createdAt: new Date(createdAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
    status,
  };
}

/** Written anew only where there is a query, so that what most people gave comes back as they gave it. */
function withoutQueryValues(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null || url.search === '') return endpoint;
  const names = url.search
    .slice(1)
    .split('&')
    .map((pair) => (pair.includes('=') ? `${pair.slice(0, pair.indexOf('='))}=***` : '***'));
  url.search = names.join('&');
  return url.href;
}
