import type { SubscriptionDefinition, SubscriptionSink, SubscriptionStatus } from '@event-manager/core';

/** A subscription as the service shows it to anybody (`docs/http.md`). */
export interface DescribedSubscription {
  readonly id: string;
  readonly name?: string;
  readonly subscriber?: string;
  readonly topic: string;
  readonly filter?: NonNullable<SubscriptionDefinition['filter']>;
  readonly context?: NonNullable<SubscriptionDefinition['context']>;
  readonly connectionType: SubscriptionSink['kind'];
  readonly endpoint?: string;
  readonly signed?: boolean;
  readonly headerNames?: readonly string[];
  readonly options: SubscriptionDefinition['options'];
  readonly state: SubscriptionDefinition['state'];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: SubscriptionStatus;
}

/** Stands where the service shows nothing: a secret, the value of a header. */
const HIDDEN = '***';

export function definitionOf(described: DescribedSubscription): SubscriptionDefinition {
  const { id, name, subscriber, topic, filter, context, options, state, createdAt, updatedAt } = described;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(subscriber === undefined ? {} : { subscriber }),
    topic,
    ...(filter === undefined ? {} : { filter }),
    ...(context === undefined ? {} : { context }),
    sink: sinkOf(described),
    options,
    state,
    createdAtMs: Date.parse(createdAt),
    updatedAtMs: Date.parse(updatedAt),
  };
}

function sinkOf({ connectionType, endpoint = '', signed, headerNames = [] }: DescribedSubscription): SubscriptionSink {
  if (connectionType !== 'webhook') return { kind: connectionType };
  return {
    kind: 'webhook',
    endpoint,
    ...(signed === true ? { secret: HIDDEN } : {}),
    ...(headerNames.length === 0 ? {} : { headers: Object.fromEntries(headerNames.map((name) => [name, HIDDEN])) }),
  };
}
