import type { Outcome } from '../contracts/sink.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type LeasedDelivery, type PullRequest, PullSink } from '../sink/pull-sink.ts';
import type { Catalog } from './catalog.ts';
import { notServedHere } from './elsewhere/ask-owner.ts';
import type { PullsElsewhere } from './elsewhere/pulls-elsewhere.ts';
import { parseLeases, parseNack, parsePull } from './parse-pull.ts';
import type { SubscriptionDefinition } from './subscription.ts';

export interface PullsOptions {
  readonly catalog: Catalog;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  /** Resolves when the changes of the subscription that were asked for have ended. */
  readonly changed: (id: string) => Promise<void>;
  /** What other processes serve is asked of them; absent where they cannot be asked. */
  readonly elsewhere: () => PullsElsewhere | undefined;
}

/** While a subscription passes from one process to another nobody serves it for a moment. */
const UNSERVED_MS = 1_000;
const LOOK_AGAIN_MS = 100;

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
  /** Aborted when the process ends: whoever waits at another one is answered. */
  readonly #ending = new AbortController();

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
   * `overloaded`, and `not_ready` while nobody serves it.
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
    let unservedSinceMs: number | undefined;
    for (;;) {
      const nowMs = clock.monotonicMs();
      const request = () => ({ max, waitMs: Math.max(0, endsAtMs - clock.monotonicMs()), signal });
      let sink = this.#sinks.get(id);
      let leases = sink ? await this.pullHere(id, sink, request()) : await this.#pullElsewhere(id, request());
      if (!leases) {
        // A whole look at who serves what is dear, and who does not serve it would take one with every pull.
        sink = await this.#serving(id);
        leases = sink && (await this.pullHere(id, sink, request()));
      }
      if (leases) {
        const isOver =
          signal?.aborted || this.#ending.signal.aborted || clock.monotonicMs() >= endsAtMs || sink?.isClosed === false;
        if (leases.length > 0 || isOver || !this.#options.catalog.get(id)) return leases;
        // It passed from one sink, or one process, to another: whoever has time left waits there.
        unservedSinceMs = undefined;
        continue;
      }
      if (signal?.aborted) return [];
      unservedSinceMs ??= nowMs;
      const isBetween = this.#options.elsewhere() && nowMs < Math.max(endsAtMs, unservedSinceMs + UNSERVED_MS);
      if (!isBetween) throw notServedHere(id);
      await new Promise<void>((resolve) => this.#options.runtime.timers.after(LOOK_AGAIN_MS, resolve, true));
    }
  }

  /** The same for one that another process serves; `undefined` while none does. */
  async #pullElsewhere(
    id: string,
    { signal, ...request }: PullRequest,
  ): Promise<readonly LeasedDelivery[] | undefined> {
    const ended = signal ? AbortSignal.any([signal, this.#ending.signal]) : this.#ending.signal;
    const leases = await this.#options.elsewhere()?.pull(id, { ...request, signal: ended });
    // What the owner may have leased meanwhile it is told to take back.
    return leases ?? (ended.aborted ? [] : undefined);
  }

  /** The same for one that is served here; ends early, with nothing, when it is not any more. */
  async pullHere(id: string, sink: PullSink, { max, waitMs, signal }: PullRequest): Promise<readonly LeasedDelivery[]> {
    const leases = await sink.pull({ max, waitMs, signal });
    if (leases.length > 0 || signal?.aborted || waitMs > 0) return leases;
    // What somebody published a moment ago, here or elsewhere, is in the log and may not be routed yet.
    await this.#options.dispatch.route.caughtUp();
    const served = this.#sinks.get(id) ?? sink;
    return served.pull({ max, waitMs, signal });
  }

  /**
   * The deliveries are done. Throws `subscription_not_found`, `not_supported`, `invalid_request`, `store_failed`, and `unreachable`
   * when the process that leased them did not answer.
   */
  async ack(_principal: Principal, id: string, input: unknown): Promise<PullAnswer> {
    this.#answerable(id);
    const tokens = parseLeases(input);
    const [sink, elsewhere] = this.#answering(id);
    return { stale: sink?.ack(tokens) ?? (await elsewhere?.ack(id, tokens)) ?? tokens };
  }

  /** The deliveries failed. Throws the same. */
  async nack(_principal: Principal, id: string, input: unknown): Promise<PullAnswer> {
    this.#answerable(id);
    const { tokens, retry, afterMs, error, metadata } = parseNack(input);
    const reason = { code: 'receiver_error', message: error, ...(metadata ? { metadata } : {}) };
    const outcome: Outcome = retry
      ? { status: 'retry', error: reason, ...(afterMs === undefined ? {} : { afterMs }) }
      : { status: 'reject', error: reason };
    const [sink, elsewhere] = this.#answering(id);
    return { stale: sink?.nack(tokens, outcome) ?? (await elsewhere?.nack(id, tokens, outcome)) ?? tokens };
  }

  /** The deliveries take longer: their time begins anew. Throws the same. */
  async extend(_principal: Principal, id: string, input: unknown): Promise<ExtendAnswer> {
    const { options } = this.#answerable(id);
    const tokens = parseLeases(input);
    const [sink, elsewhere] = this.#answering(id);
    if (sink) return sink.extend(tokens);
    const { stale = tokens, leftMs = options.timeoutMs } = (await elsewhere?.extend(id, tokens)) ?? {};
    return { stale, leaseUntilMs: this.#options.runtime.clock.wallMs() + leftMs };
  }

  /** Gives back what nobody began to handle: it costs no failure. */
  release(id: string, tokens: readonly string[]): void {
    const [sink, elsewhere] = this.#answering(id);
    if (sink) sink.nack(tokens, { status: 'release' });
    else elsewhere?.release(id, tokens);
  }

  /** The sink of one that is pulled and served here. Throws `store_failed` when nothing can be settled any more. */
  servedHere(id: string): PullSink | undefined {
    this.#assertNotHalted(id);
    return this.#sinks.get(id);
  }

  /** Who knows its tokens: this process while it serves it, else another one. */
  #answering(id: string): [PullSink | undefined, PullsElsewhere | undefined] {
    const sink = this.#sinks.get(id);
    return [sink, sink ? undefined : this.#options.elsewhere()];
  }

  /** Answers everybody who waits: the process ends. */
  endWaiting(): void {
    this.#ending.abort();
    for (const sink of this.#sinks.values()) sink.endWaiting();
  }

  #known(id: string): SubscriptionDefinition {
    const definition = this.#options.catalog.known(id);
    if (definition.sink.kind === 'pull') return definition;
    throw new EventManagerError('not_supported', 'Only a subscription without handler and endpoint is pulled.', { id });
  }

  /** What is settled after a failure never becomes durable, and the ends of leases are not watched any more. */
  #answerable(id: string): SubscriptionDefinition {
    this.#assertNotHalted(id);
    return this.#known(id);
  }

  #assertNotHalted(id: string): void {
    if (!this.#options.dispatch.isHalted) return;
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

/** Something is owed that could be claimed now, or is on its way from the store; so is everything before it is served. */
function mayCome(subscription: ActiveSubscription | undefined): boolean {
  if (subscription === undefined) return true;
  if (!subscription.isServing || subscription.definition.state !== 'active') return false;
  for (const replay of subscription.replays) if (mayCome(replay)) return true;
  const { queue, starting, isLoading } = subscription;
  if (isLoading || starting.size > 0 || queue.hasReady || queue.waitingCount > 0) return true;
  return queue.lanes.some((lane, number) => subscription.wanted[number] && lane.state !== 'live');
}
