import type { StoppedReason, SubscriptionDefinition, SubscriptionStatus } from '@event-manager/core';
import { type DescribedWay, describeWay } from './describe-way.ts';

/** Why it is stopped. */
export interface DescribedReason {
  readonly code: string;
  readonly message: string;
  readonly at: string;
}

/** A subscription as anybody may see it. */
export interface SubscriptionDescription extends DescribedWay {
  readonly id: string;
  readonly name?: string;
  readonly subscriber?: string;
  readonly topic: string;
  readonly filter?: SubscriptionDefinition['filter'];
  readonly context?: SubscriptionDefinition['context'];
  readonly options: SubscriptionDefinition['options'];
  readonly state: SubscriptionDefinition['state'];
  readonly stoppedReason?: DescribedReason;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: SubscriptionStatus;
}

export function describeSubscription(
  definition: SubscriptionDefinition,
  status: SubscriptionStatus,
): SubscriptionDescription {
  const {
    id,
    name,
    subscriber,
    topic,
    filter,
    context,
    sink,
    options,
    state,
    stoppedReason,
    createdAtMs,
    updatedAtMs,
  } = definition;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(subscriber === undefined ? {} : { subscriber }),
    topic,
    ...(filter === undefined ? {} : { filter }),
    ...(context === undefined ? {} : { context }),
    ...describeWay(sink),
    options,
    state,
    ...(stoppedReason ? { stoppedReason: describeReason(stoppedReason) } : {}),
    createdAt: new Date(createdAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
    status,
  };
}

function describeReason({ code, message, atMs }: StoppedReason): DescribedReason {
  return { code, message, at: new Date(atMs).toISOString() };
}
