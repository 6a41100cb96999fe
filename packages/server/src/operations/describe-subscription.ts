import type { SubscriptionDefinition, SubscriptionStatus } from '@event-manager/core';

/** A subscription as anybody may see it: no secret, and of the headers only the names, because they often carry a token. */
export interface SubscriptionDescription {
  readonly id: string;
  readonly name?: string;
  readonly subscriber?: string;
  readonly topic: string;
  readonly filter?: SubscriptionDefinition['filter'];
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
  const { id, name, subscriber, topic, filter, sink, options, state, createdAtMs, updatedAtMs } = definition;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(subscriber === undefined ? {} : { subscriber }),
    topic,
    ...(filter === undefined ? {} : { filter }),
    connectionType: sink.kind,
    ...(sink.kind === 'webhook'
      ? {
          endpoint: sink.endpoint,
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
