import type {
  Fallback,
  RealtimeOptions,
  StoppedReason,
  SubscriptionDefinition,
  SubscriptionSink,
  SubscriptionStatus,
} from '@event-manager/core';

interface DescribedAddress {
  readonly endpoint: string;
  readonly signed: boolean;
  readonly headerNames: readonly string[];
}

interface DescribedReason {
  readonly code: string;
  readonly message: string;
  readonly at: string;
}

/** A subscription as the service shows it to anybody (`docs/http.md`). */
export interface DescribedSubscription extends Partial<DescribedAddress> {
  readonly id: string;
  readonly name?: string;
  readonly subscriber?: string;
  readonly topic: string;
  readonly filter?: NonNullable<SubscriptionDefinition['filter']>;
  readonly context?: NonNullable<SubscriptionDefinition['context']>;
  readonly connectionType: SubscriptionSink['kind'];
  readonly connection?: RealtimeOptions;
  readonly fallback?: DescribedAddress;
  readonly options: SubscriptionDefinition['options'];
  readonly state: SubscriptionDefinition['state'];
  readonly stoppedReason?: DescribedReason;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: SubscriptionStatus;
}

/** Stands where the service shows nothing: a secret, the value of a header. */
const HIDDEN = '***';

export function definitionOf(described: DescribedSubscription): SubscriptionDefinition {
  const { id, name, subscriber, topic, filter, context, options, state, stoppedReason, createdAt, updatedAt } =
    described;
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
    ...(stoppedReason === undefined ? {} : { stoppedReason: reasonOf(stoppedReason) }),
    createdAtMs: Date.parse(createdAt),
    updatedAtMs: Date.parse(updatedAt),
  };
}

function reasonOf({ code, message, at }: DescribedReason): StoppedReason {
  return { code, message, atMs: Date.parse(at) };
}

function sinkOf(described: DescribedSubscription): SubscriptionSink {
  const { connectionType: kind, connection, fallback: second } = described;
  const fallback = second ? { fallback: addressOf(second) } : {};
  if (kind === 'pull') return { kind };
  if (kind === 'webhook') return { kind, ...addressOf(described) };
  if (kind !== 'websocket') return { kind, ...fallback };
  return { kind, ...addressOf(described), ...connection!, ...fallback };
}

function addressOf({ endpoint = '', signed, headerNames = [] }: Partial<DescribedAddress>): Fallback {
  return {
    endpoint,
    ...(signed === true ? { secret: HIDDEN } : {}),
    ...(headerNames.length === 0 ? {} : { headers: Object.fromEntries(headerNames.map((name) => [name, HIDDEN])) }),
  };
}
