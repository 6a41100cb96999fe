/**
 * Another way out than that of the subscriptions whose events are replayed: an endpoint, or a function of the process that asked.
 * It has a breaker of its own, and what it says stops nobody but itself.
 */
import type { Sink } from '../../contracts/sink.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { JsonObject } from '../../json.ts';
import type { Limits } from '../../limits.ts';
import { type EventHandler, handlerSink } from '../../sink/handler-sink.ts';
import { lastCallSink } from '../../subscription/last-call-sink.ts';
import { parseSubscription } from '../../subscription/parse-subscription.ts';
import type { SubscriptionDefinition } from '../../subscription/subscription.ts';
import type { ReplayTarget } from './replay-request.ts';

const WEIGHT = 1 / 4;

export interface ReplayTargetsOptions {
  /** Another process may serve the subscription: that has no function of this one. */
  readonly isShared: boolean;
  /** Absent where nothing is sent to endpoints. */
  readonly webhookSink: ((definition: SubscriptionDefinition) => Sink) | undefined;
  readonly limits: Limits;
  readonly nextId: () => string;
  readonly onFailure: (error: unknown) => void;
}

/** A way out together with the definition that it serves. */
export interface TargetWay {
  readonly definition: SubscriptionDefinition;
  readonly sink: Sink;
}

export class ReplayTargets {
  readonly #options: ReplayTargetsOptions;
  /** Functions of this process, by the name that the run has for them. */
  readonly #handlers = new Map<string, EventHandler>();

  constructor(options: ReplayTargetsOptions) {
    this.#options = options;
  }

  /** Throws `not_supported`, and `invalid_endpoint` and `endpoint_blocked` for what cannot be called. */
  async check({ endpoint }: ReplayTarget): Promise<void> {
    const { isShared, limits } = this.#options;
    if (endpoint !== undefined) {
      const any = parseSubscription({ topic: '#', endpoint }, limits);
      const sink = this.#webhook({ ...any, id: '', state: 'active', createdAtMs: 0, updatedAtMs: 0 }, endpoint).sink;
      await sink.close();
    } else if (isShared) {
      const words = 'A function is no target where several processes share a store: give an endpoint.';
      throw new EventManagerError('not_supported', words, { pointer: '/target' });
    }
  }

  /** As it is kept with the run. */
  keep({ endpoint, handler }: ReplayTarget): JsonObject {
    if (endpoint !== undefined) return { endpoint };
    const name = this.#options.nextId();
    this.#handlers.set(name, handler as EventHandler);
    return { handler: name };
  }

  /** The run is over: nobody asks for its function any more. */
  forget(target: JsonObject | undefined): void {
    this.#handlers.delete(target?.['handler'] as string);
  }

  /** `undefined` for a function of a process that is gone. */
  wayTo(target: JsonObject, definition: SubscriptionDefinition): TargetWay | undefined {
    if (typeof target['endpoint'] === 'string') return this.#webhook(definition, target['endpoint']);
    const handler = this.#handlers.get(target['handler'] as string);
    return handler && { definition: slower(definition), sink: handlerSink(handler) };
  }

  #webhook(before: SubscriptionDefinition, endpoint: string): TargetWay {
    const { webhookSink, onFailure } = this.#options;
    if (!webhookSink) {
      throw new EventManagerError('not_supported', 'This event manager sends nothing to endpoints.', {
        pointer: '/target',
      });
    }
    const secret = secretOf(before.sink);
    const sink = { kind: 'webhook' as const, endpoint, ...(secret === undefined ? {} : { secret }) };
    const definition = { ...slower(before), sink };
    return { definition, sink: lastCallSink(webhookSink(definition), onFailure) };
  }
}

/** A signature does not tell its secret; what the headers of a subscription say is meant for its own endpoint alone. */
function secretOf(sink: SubscriptionDefinition['sink']): string | undefined {
  if ('secret' in sink) return sink.secret;
  return 'fallback' in sink ? sink.fallback?.secret : undefined;
}

/** As much at a time as a replay that shares the way of its subscription has. */
function slower(definition: SubscriptionDefinition): SubscriptionDefinition {
  const { options } = definition;
  const maxConcurrency = Math.max(1, Math.floor(options.maxConcurrency * WEIGHT));
  return { ...definition, options: { ...options, maxConcurrency } };
}
