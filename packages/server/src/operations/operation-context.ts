import type {
  AttemptError,
  Durability,
  Engine,
  EventStream,
  SubscriptionDefinition,
  SubscriptionSink,
} from '@event-manager/core';
import type { Life } from '../life.ts';

/** What every operation works with. Who asks, and what for, are its other two arguments. */
export interface OperationContext {
  readonly engine: Engine;
  readonly life: Life;
  /** Streams that are open now. */
  readonly streams: Set<EventStream>;
  /** Connections to the service, kept by whoever accepts them. */
  readonly connections: { open: number; webSockets: number };
  /** What an acknowledgement of this service means. */
  readonly durability: Durability;
  /** The name of this process among those that share the store. */
  readonly instance: string;
  /** Throws `invalid_endpoint`, `endpoint_blocked` or `invalid_subscription` for an endpoint or fallback that could never be reached. */
  readonly checkEndpoints: (sink: SubscriptionSink) => void;
  /** Sends the webhook of a subscription an event that is stored nowhere. Throws `overloaded` when many are under way. */
  readonly sendTest: (definition: SubscriptionDefinition) => Promise<TestOutcome>;
  /** Things about this start that whoever runs the service should know, such as that nothing is kept. */
  readonly warnings: readonly string[];
}

export type WebhookSinkDefinition = Extract<SubscriptionSink, { kind: 'webhook' }>;

/** What became of a test event. */
export interface TestOutcome {
  readonly status: 'delivered' | 'failed';
  /** Absent when there was no answer. */
  readonly httpStatus?: number;
  readonly durationMs: number;
  readonly error?: AttemptError;
}
