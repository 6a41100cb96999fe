import type { Outcome } from '../contracts/sink.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type LeasedDelivery, PullSink } from '../sink/pull-sink.ts';
import type { Catalog } from './catalog.ts';
import { parseLeases, parseNack, parsePull } from './parse-pull.ts';
import type { SubscriptionDefinition } from './subscription.ts';

export interface PullsOptions {
  readonly catalog: Catalog;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  /** Resolves when the changes of the subscription that were asked for have ended. */
  readonly changed: (id: string) => Promise<void>;
}

/** What became of the deliveries of an answer. */
export interface PullAnswer {
  /** Those that came too late: their time was over, and they come again. In the order of asking. */
  readonly stale: readonly string[];
}

export interface ExtendAnswer extends PullAnswer {
  /** Until when the others are leased now, wall clock, milliseconds since 1970. */
  readonly leaseUntilMs: number;
}

/** Pulling: the deliveries of a subscription without handler and endpoint are asked for. */
export class Pulls {
  readonly #options: PullsOptions;
  readonly #sinks = new Map<string, PullSink>();

  constructor(options: PullsOptions) {
    this.#options = options;
  }

  /** Askers that wait, of all subscriptions together. */
  get askers(): number {
    let askers = 0;
    for (const sink of this.#sinks.values()) askers += sink.askers;
    return askers;
  }

  askersOf(id: string): number {
    return this.#sinks.get(id)?.askers ?? 0;
  }

  /** The way out of a subscription that is asked for its deliveries; it is closed by whoever serves it. */
  sinkOf({ id, options }: SubscriptionDefinition): PullSink {
    const { dispatch, runtime } = this.#options;
    const active = () => dispatch.active.get(id);
    const sink: PullSink = new PullSink({
      runtime,
      timetable: dispatch.dispatcher.timetable,
      leaseMs: options.timeoutMs,
      mayCome: () => mayCome(active()),
      onStale: (count) => active()?.count('stale', count),
      onClosed: () => {
        if (this.#sinks.get(id) === sink) this.#sinks.delete(id);
      },
    });
    this.#sinks.set(id, sink);
    return sink;
  }

  /**
   * Hands over what is owed: at least one delivery, at most `max`, or none after `waitMs`. Each is leased for the subscription's
   * `timeoutMs`. Throws `subscription_not_found`, `not_supported` for a subscription with another way out, `invalid_request`,
   * `overloaded`, and `not_ready` where another process serves it.
   */
  async pull(
    _principal: Principal,
    id: string,
    input: unknown,
    signal?: AbortSignal,
  ): Promise<readonly LeasedDelivery[]> {
    this.#known(id);
    const { max, waitMs } = parsePull(input);
    const { clock } = this.#options.runtime;
    const endsAtMs = clock.monotonicMs() + waitMs;
    let sink = await this.#serving(id);
    if (!sink) throw new EventManagerError('not_ready', 'Another process serves this subscription now.', { id });
    let mayBeBehind = waitMs === 0;
    for (let leftMs = waitMs; ; leftMs = endsAtMs - clock.monotonicMs()) {
      const leases = await sink.pull({ max, waitMs: Math.max(0, leftMs), signal });
      if (leases.length > 0 || signal?.aborted) return leases;
      if (mayBeBehind) {
        // What somebody published a moment ago, here or elsewhere, is in the log and may not be routed yet.
        mayBeBehind = false;
        await this.#options.dispatch.route.caughtUp();
        continue;
      }
      // A change of the subscription gave it another sink: whoever has time left waits there.
      if (!sink.isClosed || leftMs <= 0) return leases;
      sink = await this.#serving(id);
      if (!sink) return [];
    }
  }

  /** The deliveries are done. Throws `subscription_not_found`, `not_supported`, `invalid_request`, `store_failed`. */
  async ack(_principal: Principal, id: string, input: unknown): Promise<PullAnswer> {
    this.#answerable(id);
    const tokens = parseLeases(input);
    return { stale: this.#sinks.get(id)?.ack(tokens) ?? tokens };
  }

  /** The deliveries failed. Throws the same. */
  async nack(_principal: Principal, id: string, input: unknown): Promise<PullAnswer> {
    this.#answerable(id);
    const { tokens, retry, afterMs, error, metadata } = parseNack(input);
    const reason = { code: 'receiver_error', message: error, ...(metadata ? { metadata } : {}) };
    const outcome: Outcome = retry
      ? { status: 'retry', error: reason, ...(afterMs === undefined ? {} : { afterMs }) }
      : { status: 'reject', error: reason };
    return { stale: this.#sinks.get(id)?.nack(tokens, outcome) ?? tokens };
  }

  /** The deliveries take longer: their time begins anew. Throws the same. */
  async extend(_principal: Principal, id: string, input: unknown): Promise<ExtendAnswer> {
    const { options } = this.#answerable(id);
    const tokens = parseLeases(input);
    const leaseUntilMs = this.#options.runtime.clock.wallMs() + options.timeoutMs;
    return this.#sinks.get(id)?.extend(tokens) ?? { stale: tokens, leaseUntilMs };
  }

  /** Gives back what nobody began to handle: it costs no failure. */
  release(id: string, tokens: readonly string[]): void {
    this.#sinks.get(id)?.nack(tokens, { status: 'release' });
  }

  /** Answers everybody who waits: the process ends. */
  endWaiting(): void {
    for (const sink of this.#sinks.values()) sink.endWaiting();
  }

  #known(id: string): SubscriptionDefinition {
    const definition = this.#options.catalog.known(id);
    if (definition.sink.kind === 'pull') return definition;
    throw new EventManagerError('not_supported', 'Only a subscription without handler and endpoint is pulled.', { id });
  }

  /** What is settled after a failure never becomes durable, and the ends of leases are not watched any more. */
  #answerable(id: string): SubscriptionDefinition {
    if (!this.#options.dispatch.isHalted) return this.#known(id);
    throw new EventManagerError('store_failed', 'The engine stopped after a failure: what was leased comes again.', {
      id,
    });
  }

  /** While it is changed nobody serves it for a moment, and an answer without deliveries would have everybody ask again at once. */
  async #serving(id: string): Promise<PullSink | undefined> {
    const sink = this.#sinks.get(id);
    if (sink) return sink;
    await this.#options.changed(id);
    return this.#sinks.get(id);
  }
}

/** Something is owed that could be claimed now, or is on its way from the store. */
function mayCome(subscription: ActiveSubscription | undefined): boolean {
  if (!subscription?.isServing || subscription.definition.state !== 'active') return false;
  const { queue, starting, isLoading } = subscription;
  if (isLoading || starting.size > 0 || queue.hasReady || queue.waitingCount > 0) return true;
  return queue.lanes.some((lane, number) => subscription.wanted[number] && lane.state !== 'live');
}
