/**
 * The engine: one adapter, the way in (`ingest/`), the way out (`dispatch/`), and the streams beside them. It knows nothing
 * of protocols; whoever calls it says on whose behalf.
 *
 *     new ──open──▶ open ──close──▶ closing ──▶ closed
 *                    └──a failure we cannot explain──▶ failed (reads go on; nothing is acknowledged or delivered)
 */
import type { AdapterHealth, EventBusAdapter } from './contracts/adapter.ts';
import type { Partition, Place, Position, Recorded } from './contracts/event-store.ts';
import type { Sink } from './contracts/sink.ts';
import type { ActiveSubscription } from './dispatch/active-subscription.ts';
import { Bodies } from './dispatch/bodies.ts';
import { Checkpoint } from './dispatch/checkpoint.ts';
import type { DeadLetter } from './dispatch/dead-letter.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { ReadBack } from './dispatch/offer.ts';
import { Route } from './dispatch/route.ts';
import { Scheduled } from './dispatch/scheduled.ts';
import { Serving } from './dispatch/serve.ts';
import { EventManagerError } from './errors/event-manager-error.ts';
import { compileFilter } from './filter/compile-filter.ts';
import { parseFilter } from './filter/parse-filter.ts';
import { type BatchResult, Ingest, type PublishOptions, type PublishResult } from './ingest/ingest.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { Principal } from './principal.ts';
import { decodeCursor } from './query/cursor.ts';
import type { EventQuery } from './query/event-query.ts';
import { compileQuery } from './query/matches-query.ts';
import { type Runtime, systemRuntime } from './runtime/runtime.ts';
import { EventStream } from './stream/event-stream.ts';
import type { SubscriptionDefinition } from './subscription/subscription.ts';
import { Subscriptions } from './subscription/subscriptions.ts';
import { parsePattern } from './topic/pattern.ts';
import { PatternIndex } from './topic/pattern-index.ts';

/** The engine serves one partition. More come with an adapter that has them: one set of the parts below for each. */
const PARTITION: Partition = 0;
const DRAIN_MS = 5_000;
const POLL_EVERY_MS = 500;
const SETTLED_LOOK_MS = 1;

export interface EngineOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime?: Runtime | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Makes the way out of subscriptions with an endpoint; without it they are refused with `not_supported`. */
  readonly webhookSink?: ((definition: SubscriptionDefinition) => Sink) | undefined;
  /** Distinguishes this process among those that share a store. */
  readonly owner?: string | undefined;
}

export interface StreamRequest {
  /** Patterns over topics; everything when absent. */
  readonly topics?: readonly string[] | undefined;
  readonly filter?: unknown;
  /** A cursor, or one end of the log. Default: `latest`. */
  readonly from?: 'latest' | 'earliest' | (string & {}) | undefined;
}

export interface FindRequest {
  readonly limit: number;
  /** Continue behind this place. */
  readonly after?: Place | undefined;
  readonly direction: 'forward' | 'backward';
}

export interface EngineHealth {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly reason?: string;
  readonly adapter: AdapterHealth & { readonly name: string };
  readonly head: Position;
  readonly unacknowledged: number;
  readonly subscriptions: number;
}

const FIND_BUDGET_MS = 1_000;

export class Engine {
  readonly limits: Limits;
  readonly subscriptions: Subscriptions;
  readonly #adapter: EventBusAdapter;
  readonly #runtime: Runtime;
  readonly #index = new PatternIndex<ActiveSubscription>();
  readonly #active = new Map<string, ActiveSubscription>();
  readonly #streams = new Set<EventStream>();
  readonly #bodies: Bodies;
  readonly #route: Route;
  readonly #readBack: ReadBack;
  readonly #checkpoint: Checkpoint;
  readonly #dispatcher: Dispatcher;
  readonly #ingest: Ingest;
  readonly #scheduled: Scheduled;
  readonly #unwatch: () => void;
  #cancelPoll: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #failure: unknown;

  /** Opens the adapter, restores every debt and begins to deliver. Throws what `adapter.open` throws. */
  static async open(options: EngineOptions): Promise<Engine> {
    const { adapter } = options;
    await adapter.open();
    try {
      const [bounds, ...more] = await adapter.store.bounds();
      if (!bounds || more.length > 0) {
        throw new EventManagerError('not_supported', `The adapter ${adapter.name} has several partitions.`);
      }
      const engine = new Engine(options, bounds.head);
      await engine.#start();
      return engine;
    } catch (error) {
      await adapter.close();
      throw error;
    }
  }

  private constructor(options: EngineOptions, head: Position) {
    const { adapter, runtime = systemRuntime } = options;
    const { store, state } = adapter;
    const index = this.#index;
    const active = this.#active;
    const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
    const onFailure = (error: unknown) => this.#fail(error);
    const onLost = () => {};
    const routedHead = () => this.#route.head;
    const wake = (subscription: ActiveSubscription) => this.#dispatcher.wake(subscription);
    this.#adapter = adapter;
    this.#runtime = runtime;
    this.limits = limits;
    const bodies = new Bodies(store, PARTITION, limits);
    this.#bodies = bodies;
    this.#route = new Route({
      partition: PARTITION,
      store,
      bodies,
      index,
      head,
      wake,
      onAdvance: () => this.#advanced(),
      onLost,
      onFailure,
    });
    this.#readBack = new ReadBack({
      partition: PARTITION,
      store,
      bodies,
      index,
      subscriptions: active,
      routedHead,
      wake,
      onLost,
      onFailure,
    });
    this.#checkpoint = new Checkpoint({
      state,
      runtime,
      routedHead,
      onCommitted: (subscriptions, changes) => {
        for (const subscription of subscriptions) wake(subscription);
        if (changes.some((change) => change.kind === 'schedule')) this.#scheduled.wake();
      },
      onLeaseLost: (subscription) => this.subscriptions.leaseLost(subscription),
      onFailure,
    });
    this.#dispatcher = new Dispatcher({
      runtime,
      bodies,
      checkpoint: this.#checkpoint,
      onDrained: () => this.#readBack.start(),
      onGone: (subscription, reason) => this.subscriptions.gone(subscription, reason),
      onFailure,
    });
    const awaitsAttempts = adapter.supports.durability === 'none';
    this.#ingest = new Ingest({ store, route: this.#route, runtime, limits, awaitsAttempts });
    this.#scheduled = new Scheduled({ state, ingest: this.#ingest, limits });
    const serving = new Serving({
      partition: PARTITION,
      state,
      runtime,
      limits,
      index,
      subscriptions: active,
      bodies,
      dispatcher: this.#dispatcher,
      checkpoint: this.#checkpoint,
      readBack: this.#readBack,
      routedHead,
    });
    this.subscriptions = new Subscriptions({
      adapter,
      partition: PARTITION,
      runtime,
      limits,
      active,
      serving,
      route: this.#route,
      dispatcher: this.#dispatcher,
      webhookSink: options.webhookSink,
      owner: options.owner ?? 'local',
    });
    this.#unwatch = adapter.watch(() => this.#hint());
  }

  /** Resolves when the event is as durable as the adapter promises. */
  publish(principal: Principal, input: unknown, options?: PublishOptions): Promise<PublishResult> {
    if (this.#failure) return Promise.reject(this.#failed());
    return this.#ingest.publish(principal, input, options);
  }

  publishBatch(
    principal: Principal,
    inputs: readonly unknown[],
    options?: PublishOptions,
  ): Promise<readonly BatchResult[]> {
    if (this.#failure) return Promise.reject(this.#failed());
    return this.#ingest.publishBatch(principal, inputs, options);
  }

  async event(_principal: Principal, id: string): Promise<Recorded | undefined> {
    const [record] = await this.#adapter.store.get([id]);
    return record;
  }

  /** Finds stored events; the time to look is bounded, and `complete: false` says that it ended the search. */
  async find(
    _principal: Principal,
    query: EventQuery,
    request: FindRequest,
  ): Promise<{ records: readonly Recorded[]; next?: Place; complete: boolean }> {
    if (this.#adapter.supports.query === 'none') {
      throw new EventManagerError('not_supported', `The adapter ${this.#adapter.name} cannot search events.`);
    }
    // A pattern that cannot be read is the caller's mistake, whatever the adapter does with it.
    compileQuery(query);
    const { limit, direction, after } = request;
    const options = { limit, direction, budgetMs: FIND_BUDGET_MS, ...(after === undefined ? {} : { after }) };
    return this.#adapter.store.find(query, options);
  }

  /** Opens a stream. Throws `invalid_pattern`, `invalid_filter`, `invalid_cursor`. */
  async stream(_principal: Principal, request: StreamRequest): Promise<EventStream> {
    this.#assertOpen();
    const patterns = (request.topics ?? ['#']).map((topic) => parsePattern(topic, this.limits, '/topics'));
    const filter = request.filter === undefined ? undefined : parseFilter(request.filter, this.limits, '/filter');
    const stream = new EventStream({
      store: this.#adapter.store,
      route: this.#route,
      patterns,
      matches: filter && compileFilter(filter),
      after: await this.#streamStart(request.from ?? 'latest'),
      partition: PARTITION,
      onClose: (closed) => this.#streams.delete(closed),
    });
    this.#streams.add(stream);
    return stream;
  }

  /** All dead letters of one subscription, or of all, in the order of their keys: subscription, then position. */
  async deadLetters(principal: Principal, subscriptionId?: string): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    let after: string | undefined;
    do {
      const page = await this.deadLetterPage(principal, { subscriptionId, after, limit: 1_000 });
      letters.push(...page.letters);
      after = page.next;
    } while (after !== undefined);
    return letters;
  }

  /** The same, a page at a time; `next` continues as `after` and is absent on the last page. */
  async deadLetterPage(
    _principal: Principal,
    request: { subscriptionId?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<{ letters: readonly DeadLetter[]; next?: string }> {
    const { subscriptionId, after, limit } = request;
    const page = await this.#adapter.state.load('dead-letter', {
      ...(subscriptionId === undefined ? {} : { prefix: `${subscriptionId}/` }),
      ...(after === undefined ? {} : { after }),
      limit,
    });
    const letters = page.entries.map((entry) => entry.value as unknown as DeadLetter);
    return page.next === undefined ? { letters } : { letters, next: page.next };
  }

  health(): EngineHealth {
    const adapter = { ...this.#adapter.health(), name: this.#adapter.name };
    const status =
      this.#failure || adapter.status === 'failed' ? 'failed' : adapter.status === 'ok' ? 'ok' : 'degraded';
    const reason = this.#failure instanceof Error ? this.#failure.message : adapter.reason;
    return {
      status,
      ...(reason === undefined ? {} : { reason }),
      adapter,
      head: this.#route.head,
      unacknowledged: this.#ingest.unacknowledged,
      subscriptions: this.subscriptions.count,
    };
  }

  /** True when this process delivers to the subscription. */
  isServing(subscriptionId: string): boolean {
    return this.#active.has(subscriptionId);
  }

  /** True when everything routed so far is settled, durably, for a subscription that is served here. */
  isSettled(subscriptionId: string): boolean {
    const { queue } = this.#active.get(subscriptionId) ?? {};
    return queue?.isSettled() === true && queue.isCommitted;
  }

  /** Bodies and bytes in memory, and entries of the timetable: for metrics and for tests of boundedness. */
  memory(): { bodies: number; bodyBytes: number; timetable: number } {
    return { bodies: this.#bodies.size, bodyBytes: this.#bodies.bytes, timetable: this.#dispatcher.timetable.size };
  }

  /** Resolves when every event acknowledged so far is settled, durably, for every subscription that is served here. */
  async settled(): Promise<void> {
    const head = this.#route.head;
    while (!this.#isSettled() || this.#route.head < head) {
      this.#assertOpen();
      await new Promise<void>((resolve) => this.#runtime.timers.after(SETTLED_LOOK_MS, resolve, true));
    }
  }

  /** Ends in order: no new events, what was handed in is answered, attempts end, progress is durable, adapter closed. */
  close(options: { drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? DRAIN_MS);
    return this.#closing;
  }

  async #start(): Promise<void> {
    await this.subscriptions.start();
    this.#scheduled.wake();
    if (this.#adapter.supports.shared) this.#poll();
  }

  async #close(drainMs: number): Promise<void> {
    this.#unwatch();
    this.#cancelPoll?.();
    for (const stream of this.#streams) stream.close();
    await this.#ingest.close();
    await this.#scheduled.stop();
    try {
      await this.subscriptions.close(drainMs);
    } finally {
      this.#dispatcher.stop();
      await this.#readBack.stop();
      await this.#route.stop();
      this.#checkpoint.halt();
      await this.#adapter.close();
    }
  }

  #isSettled(): boolean {
    if (this.#ingest.unacknowledged > 0) return false;
    let settled = this.#scheduled.isIdle;
    for (const subscription of this.#active.values()) {
      if (subscription.definition.state !== 'active') continue;
      if (!subscription.queue.isSettled()) return false;
      if (subscription.queue.isCommitted) continue;
      // A commit that is under way suffices: asking for another at each look would keep them coming for ever.
      if (subscription.queue.dirty) this.#checkpoint.commitNow(subscription);
      settled = false;
    }
    return settled;
  }

  async #streamStart(from: string): Promise<Position> {
    if (from === 'latest') return this.#route.head;
    if (from === 'earliest') return ((await this.#adapter.store.bounds())[PARTITION]?.first ?? 1) - 1;
    const place = decodeCursor(from, '/from').find((known) => known.partition === PARTITION);
    return place?.position ?? 0;
  }

  #advanced(): void {
    for (const stream of this.#streams) stream.advanced();
  }

  /** Hints wake the engine; a slow poll is the net beneath. */
  #hint(): void {
    this.#route.catchUp();
    this.subscriptions.poke();
  }

  #poll(): void {
    this.#cancelPoll = this.#runtime.timers.after(POLL_EVERY_MS, () => {
      this.#route.catchUp();
      this.#poll();
    });
  }

  #fail(error: unknown): void {
    if (this.#failure || this.#closing) return;
    this.#failure = error;
    this.#checkpoint.halt();
    this.#dispatcher.stop();
  }

  #failed(): EventManagerError {
    return new EventManagerError('store_failed', 'The engine stopped after a failure.', {}, this.#failure);
  }

  #assertOpen(): void {
    if (this.#closing) throw new EventManagerError('closed', 'The event manager is closed.');
    if (this.#failure) throw this.#failed();
  }
}
