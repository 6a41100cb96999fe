/**
 * The engine: one adapter, the way in (`ingest/`), the way out (`dispatch/`), and the streams beside them. It knows nothing
 * of protocols; whoever calls it says on whose behalf.
 *
 *     new ──open──▶ open ──close──▶ closing ──▶ closed
 *                    └──a failure we cannot explain──▶ failed (reads go on; nothing is acknowledged or delivered)
 */
import { Contexts } from './context/contexts.ts';
import type { AdapterHealth, EventBusAdapter } from './contracts/adapter.ts';
import type { LostRange, Partition, Position } from './contracts/event-store.ts';
import type { SchemaCompiler } from './contracts/schema-compiler.ts';
import type { Sink } from './contracts/sink.ts';
import type { ActiveSubscription } from './dispatch/active-subscription.ts';
import { DeadLetters } from './dispatch/dead-letters.ts';
import type { ReceiverChange } from './dispatch/failure/receiver.ts';
import { countReceiver } from './dispatch/failure/receiver-status.ts';
import { PartitionDispatch } from './dispatch/partition-dispatch.ts';
import { Scheduled } from './dispatch/scheduled.ts';
import type { ErrorCode } from './errors/codes.ts';
import { EventManagerError, isEventManagerError } from './errors/event-manager-error.ts';
import { createEventIdSource } from './event/event-id.ts';
import { type ProgressHealth, type StallChange, StallWatch } from './health/stall-watch.ts';
import { type BatchResult, Ingest, type PublishOptions } from './ingest/ingest.ts';
import type { PublishResult } from './ingest/publish-result.ts';
import type { Rejections } from './ingest/rejections.ts';
import { Validate } from './ingest/validate.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { EventMetrics } from './metrics/event-metrics.ts';
import { Meter } from './metrics/meter.ts';
import { readMetrics } from './metrics/read-metrics.ts';
import type { Principal } from './principal.ts';
import { Projections } from './projection/projections.ts';
import { History } from './query/history.ts';
import { openRetention } from './retention/open-retention.ts';
import type { Retention } from './retention/retention.ts';
import type { RetentionOptions } from './retention/retention-policy.ts';
import { DEFAULT_RETRY_POLICY, parseRetryPolicy, type RetryPolicy } from './retry/retry-policy.ts';
import { openRuns } from './runs/open-runs.ts';
import type { DeadLetterOptions, Redrives } from './runs/redrive/redrives.ts';
import type { ReplayRoom } from './runs/replay/replay-room.ts';
import type { Runs } from './runs/runs.ts';
import { type Runtime, systemRuntime } from './runtime/runtime.ts';
import { openSchedule } from './schedule/open-schedule.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { Instances } from './subscription/elsewhere/instances.ts';
import type { SubscriptionDefinition } from './subscription/subscription.ts';
import { Subscriptions } from './subscription/subscriptions.ts';
import { EngineReporter } from './sys/engine-reporter.ts';
import { SystemEvents } from './sys/system-events.ts';
import { Topics } from './topic/topics.ts';
import type { EventDefinitions } from './typed/define-events.ts';
import { type DeliveryLogRetention, DeliveryRecords } from './why/delivery-records.ts';
import { Explanations } from './why/explanations.ts';

/** The engine serves one partition. More come with an adapter that has them: one set of the parts below for each. */
const PARTITION: Partition = 0;
const DRAIN_MS = 5_000;
const POLL_EVERY_MS = 500;
const SETTLED_LOOK_MS = 1;
const STALL_AFTER_MS = 60_000;

export interface EngineOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime?: Runtime | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Makes the way out of subscriptions with an endpoint; without it they are refused with `not_supported`. */
  readonly webhookSink?: ((definition: SubscriptionDefinition) => Sink) | undefined;
  /** The same for an endpoint that begins with `ws:` or `wss:`. */
  readonly webSocketSink?: ((definition: SubscriptionDefinition) => Sink) | undefined;
  /** Compiles the JSON Schemas of topics; without it they are refused with `not_supported`. */
  readonly schemas?: SchemaCompiler | undefined;
  /** Schemas that this process brings along, made by `defineEvents`. */
  readonly events?: EventDefinitions<unknown> | undefined;
  /** Refuses events on topics that were not declared. Default: false. */
  readonly topicsStrict?: boolean | undefined;
  /** Of subscriptions that say nothing about retries; what it does not say is that of the specification. */
  readonly retryPolicy?: Partial<RetryPolicy> | undefined;
  /** Names this process among those that share a store; no other may have the same name. Default: a drawn id. */
  readonly owner?: string | undefined;
  /** A subscription that could go on and does not for so long is stalled. Default: 60 s. */
  readonly stallAfterMs?: number | undefined;
  /** How much of the log is kept. Default: everything. */
  readonly retention?: RetentionOptions | undefined;
  /** How long it is kept how deliveries ended. */
  readonly deliveryLog?: DeliveryLogRetention | undefined;
  /** What may be done with dead letters. */
  readonly deadLetters?: DeadLetterOptions | undefined;
  /** Publish what happens to the bus itself under `$sys/…`. Default: false; the service does. */
  readonly systemEvents?: boolean | undefined;
}

export interface EngineHealth {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly reason?: string;
  readonly adapter: Omit<AdapterHealth, 'lost'> & { readonly name: string };
  readonly head: Position;
  readonly unacknowledged: number;
  readonly subscriptions: number;
  /** Of the subscriptions that are served here. */
  readonly progress: ProgressHealth;
  /** Damaged ranges that the adapter has on record or delivery came upon: what stood there can be delivered to nobody. */
  readonly lost: readonly LostRange[];
  /** The processes that share the store, as far as this one hears of them; absent where there is but one. */
  readonly instances?: Pick<Instances, 'self' | 'live'>;
}

const LOST_MAX = 100;
const STALLED = 'A subscription that could go on makes no progress.';

export class Engine {
  readonly limits: Limits;
  readonly subscriptions: Subscriptions;
  readonly systemEvents: SystemEvents;
  readonly topics: Topics;
  readonly contexts: Contexts;
  readonly history: History;
  readonly deadLetters: DeadLetters;
  /** What is kept of deliveries that are over. */
  readonly deliveryRecords: DeliveryRecords;
  /** Why an event did or did not come. */
  readonly explanations: Explanations;
  /** States that events are folded into. */
  readonly projections: Projections;
  /** Replays, redrives and discards. */
  readonly runs: Runs;
  readonly replays: ReplayRoom;
  /** Takes dead letters up again, or closes them. */
  readonly redrives: Redrives;
  /** Events that wait for their time. */
  readonly schedule: Schedule;
  /** Removes the oldest events. */
  readonly retention: Retention;
  /** Events that were refused for what their topic asks. */
  readonly rejections: Rejections;
  readonly #adapter: EventBusAdapter;
  readonly #runtime: Runtime;
  readonly #dispatch: PartitionDispatch;
  readonly #meter: Meter;
  readonly #stallWatch: StallWatch;
  readonly #reporter: EngineReporter;
  readonly #lost: LostRange[] = [];
  /** What the adapter knew to be lost when it was opened: that is no news. */
  readonly #lostBefore: readonly LostRange[];
  readonly #validate: Validate;
  readonly #ingest: Ingest;
  readonly #scheduled: Scheduled;
  readonly #unwatch: () => void;
  #cancelPoll: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #failure: unknown;

  /** From now on a subscription that could go on has this long until it counts as stalled. */
  stallAfter(delayMs: number): void {
    this.#stallWatch.follow(delayMs);
  }

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
    const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#adapter = adapter;
    this.#lostBefore = adapter.health().lost ?? [];
    this.#runtime = runtime;
    this.limits = limits;
    const meter = new Meter(runtime.clock);
    this.#meter = meter;
    const onFailure = (error: unknown) => this.#fail(error);
    this.contexts = new Contexts({ state, clock: runtime.clock, limits, onFailure });
    ({ replays: this.replays, redrives: this.redrives, runs: this.runs } = this.#openRuns(options));
    const { owner = createEventIdSource(runtime)() } = options;
    const dispatch = this.#dispatchOf(adapter, head, owner);
    this.#dispatch = dispatch;
    this.history = new History({
      ...{ adapter, route: dispatch.route, partition: PARTITION, runtime, limits, contexts: this.contexts },
    });
    this.deadLetters = new DeadLetters(state);
    const awaitsAttempts = adapter.supports.durability === 'none';
    const { schemas: compiler, events, topicsStrict: isStrict = false } = options;
    const stored = () => this.#ingest.stored();
    const topics = new Topics({ adapter, runtime, limits, compiler, definitions: events?.schemas, stored, onFailure });
    this.topics = topics;
    const validate = new Validate({ topics, isStrict, store, clock: runtime.clock });
    this.#validate = validate;
    this.rejections = validate.rejections;
    this.projections = new Projections({ adapter, partition: PARTITION, runtime, limits, owner, onFailure });
    const later = { ingest: () => this.#ingest, reporter: () => this.#reporter };
    const schedule = openSchedule({ adapter, dispatch, runtime, limits, meter, owner, ...later, onFailure });
    this.schedule = schedule;
    const { route, active } = dispatch;
    this.#ingest = new Ingest({ store, route, validate, runtime, limits, meter, awaitsAttempts, schedule });
    this.#scheduled = new Scheduled({ state, ingest: this.#ingest, limits, timers: runtime.timers });
    const retryPolicy = parseRetryPolicy(options.retryPolicy ?? DEFAULT_RETRY_POLICY, '/retryPolicy');
    const { webhookSink, webSocketSink, stallAfterMs = STALL_AFTER_MS, systemEvents = false } = options;
    const onLooked = () => this.#reporter.looked();
    const onChanged = (of: ActiveSubscription, change: StallChange) => this.#reporter.changed(of, change);
    const stallWatch = new StallWatch({ active, runtime, head: () => route.head, stallAfterMs, onChanged, onLooked });
    this.#stallWatch = stallWatch;
    this.subscriptions = new Subscriptions({
      ...{ adapter, dispatch, stallWatch, runtime, limits, webhookSink, webSocketSink, retryPolicy, owner, onFailure },
      onSwitched: (definition, way) => this.#switched(definition, way),
      onReset: (reset) => this.#reporter.subscriptionReset(reset),
      removing: (id) => this.runs.removing(id),
    });
    this.systemEvents = new SystemEvents({ ingest: this.#ingest, clock: runtime.clock, enabled: systemEvents });
    const told = { stallWatch, adapter, active, owner, clock: runtime.clock };
    this.#reporter = new EngineReporter({ systemEvents: this.systemEvents, ...told });
    const { contexts, subscriptions, rejections } = this;
    this.retention = openRetention({
      ...{ adapter, dispatch, runtime, limits, meter, owner, contexts, subscriptions, onFailure },
      options: options.retention ?? this.#adapter.retention,
      onRemoved: (...removed) => this.#reporter.debtRemoved(...removed),
    });
    const isShared = adapter.supports.shared;
    this.deliveryRecords = new DeliveryRecords({
      ...{ state, dispatch, runtime, isShared, retention: options.deliveryLog, onFailure },
    });
    this.explanations = new Explanations({
      ...{ adapter, dispatch, subscriptions, contexts, schedule, rejections, runtime, limits },
      keptForMs: () => this.deliveryRecords.retentionMs,
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

  health(): EngineHealth {
    const { lost = [], ...rest } = this.#adapter.health();
    const adapter = { ...rest, name: this.#adapter.name };
    const progress = this.#stallWatch.report();
    const { impairment } = adapter;
    const isWell = adapter.status === 'ok' && progress.stalled === 0 && impairment === undefined;
    const status = this.#failure || adapter.status === 'failed' ? 'failed' : isWell ? 'ok' : 'degraded';
    const trouble = adapter.reason ?? (progress.stalled > 0 ? STALLED : impairment?.reason);
    const reason = this.#failure === undefined ? trouble : reasonOf(this.#failure);
    const { instances } = this.subscriptions;
    return {
      status,
      ...(instances ? { instances: { self: instances.self, live: instances.live } } : {}),
      ...(reason === undefined ? {} : { reason }),
      adapter,
      head: this.#dispatch.route.head,
      unacknowledged: this.#ingest.unacknowledged,
      subscriptions: this.subscriptions.count,
      progress,
      lost: [...lost, ...this.#lost.filter((range) => !isWithin(range, lost))],
    };
  }

  metrics(): EventMetrics {
    return readMetrics({
      meter: this.#meter,
      dispatch: this.#dispatch,
      progress: this.#stallWatch.report(),
      systemEvents: this.systemEvents,
      adapter: this.#adapter.health(),
      unavailableMs: this.#reporter.store.unavailableMs,
      schedule: this.schedule,
      retention: this.retention,
      runs: this.runs,
      replays: this.replays,
      unacknowledged: this.#ingest.unacknowledged,
      subscriptions: this.subscriptions.count,
      contexts: this.contexts.count,
      streams: this.history.streams,
      members: this.subscriptions.members,
      instances: this.subscriptions.instances,
      head: this.#dispatch.route.head,
      clock: this.#runtime.clock,
    });
  }

  /** Events that a protocol refused before they came here, for the metrics. */
  countRejected(code: ErrorCode, count = 1): void {
    this.#meter.reject(code, count);
  }

  /** True when this process delivers to the subscription. */
  isServing(subscriptionId: string): boolean {
    return this.#dispatch.active.has(subscriptionId);
  }

  /** True when everything routed so far is settled, durably, for a subscription that is served here. */
  isSettled(subscriptionId: string): boolean {
    const { queue } = this.#dispatch.active.get(subscriptionId) ?? {};
    return queue?.isSettled() === true && queue.isCommitted;
  }

  /** Bodies and bytes in memory, and entries of the timetable: for metrics and for tests of boundedness. */
  memory(): { bodies: number; bodyBytes: number; timetable: number } {
    const { bodies, dispatcher } = this.#dispatch;
    return { bodies: bodies.size, bodyBytes: bodies.bytes, timetable: dispatcher.timetable.size };
  }

  /** Resolves when every event acknowledged so far is settled, durably, for every subscription that is served here. */
  async settled(): Promise<void> {
    const head = this.#dispatch.route.head;
    while (!this.#isSettled() || this.#dispatch.route.head < head) {
      this.#assertOpen();
      await new Promise<void>((resolve) => this.#runtime.timers.after(SETTLED_LOOK_MS, resolve, true));
    }
  }

  /**
   * Ends in order: no new events, what was handed in is answered, attempts end, progress is durable, adapter closed.
   * Rejects, with everything released, when progress did not become durable: what was delivered then is delivered again.
   */
  close(options: { drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? DRAIN_MS);
    return this.#closing;
  }

  /** The way out, which tells this engine of everything that others should know. */
  #dispatchOf(adapter: EventBusAdapter, head: Position, instance: string): PartitionDispatch {
    const { limits, contexts } = this;
    return new PartitionDispatch({
      ...{ partition: PARTITION, adapter, runtime: this.#runtime, limits, meter: this.#meter, contexts, head },
      ...{ instance, beside: this.runs },
      hasReaders: () => this.history.streams > 0 || this.subscriptions.readsAlong,
      onAdvance: () => {
        this.history.advanced();
        this.projections.advanced();
        this.retention.advanced(this.#dispatch.route.head);
      },
      onCommitted: (changes) => {
        if (changes.some((change) => change.kind === 'schedule')) this.#scheduled.wake();
        this.#reporter.committed(changes);
      },
      onLost: (lost) => this.#noteLost(lost),
      onLeaseLost: (subscription) => this.subscriptions.leaseLost(subscription),
      onReplaced: (subscription) => this.subscriptions.replaced(subscription),
      onKeyParked: (subscription, key, parked) => this.#reporter.keyParked(subscription, key, parked),
      onReceiver: (subscription, change) => this.#receiverChanged(subscription, change),
      onFailure: (error) => this.#fail(error),
    });
  }

  async #start(): Promise<void> {
    await this.topics.start();
    await this.contexts.start();
    await this.schedule.start();
    await this.retention.start();
    this.deliveryRecords.start();
    // Last, since it may end the process: what did so before is attempted again.
    await this.subscriptions.start();
    this.#stallWatch.start();
    this.#scheduled.wake();
    if (this.#adapter.supports.shared) this.#poll();
  }

  async #close(drainMs: number): Promise<void> {
    this.#unwatch();
    this.#cancelPoll?.();
    this.#stallWatch.stop();
    this.history.close();
    await this.#ingest.close();
    await this.#scheduled.stop();
    await this.schedule.stop();
    await this.retention.stop();
    await this.runs.stop();
    await this.deliveryRecords.stop();
    await this.topics.stop();
    await this.contexts.stop();
    await this.projections.stop();
    try {
      await this.subscriptions.close(drainMs);
    } finally {
      await this.#dispatch.stop();
      await this.#adapter.close();
    }
    if (this.#failure) throw this.#failed();
  }

  #isSettled(): boolean {
    if (this.#ingest.unacknowledged > 0) return false;
    return this.#dispatch.isSettled() && this.#scheduled.isIdle && this.schedule.isIdle;
  }

  #openRuns({ adapter, deadLetters, webhookSink }: EngineOptions): ReturnType<typeof openRuns> {
    const { limits, contexts } = this;
    return openRuns({
      ...{ adapter, runtime: this.#runtime, limits, contexts, deadLetters, webhookSink },
      later: () => ({ dispatch: this.#dispatch, subscriptions: this.subscriptions, validate: this.#validate }),
      onTold: (what, run) => this.#reporter.run(what, run),
      onFailure: (error) => this.#fail(error),
    });
  }

  #receiverChanged(subscription: ActiveSubscription, change: ReceiverChange): void {
    // What a replay has for a target stops no subscription.
    if (subscription.replay && subscription.receiving === subscription) return;
    // Whoever was under way beside the first one that said so says it, too.
    if (change.what === 'stopped' && subscription.definition.state === 'stopped') return;
    countReceiver(this.#meter.receivers, change);
    this.#reporter.receiverChanged(subscription, change);
    if (change.what === 'stopped') this.subscriptions.stopped(subscription, change.reason);
  }

  #switched(definition: SubscriptionDefinition, way: 'realtime' | 'fallback'): void {
    this.#meter.switched(way);
    this.#reporter.switched(definition, way);
  }

  #noteLost(lost: LostRange): void {
    if (lost.cause !== 'damaged' || isWithin(lost, this.#lost) || this.#lost.length >= LOST_MAX) return;
    this.#lost.push(lost);
    this.#reporter.damaged(lost);
  }

  /** Hints wake the engine; a slow poll is the net beneath. */
  #hint(): void {
    this.#dispatch.route.catchUp();
    this.subscriptions.poke();
    this.topics.poke();
    this.schedule.poke();
    this.contexts.poke();
    this.projections.poke();
  }

  #poll(): void {
    this.#cancelPoll = this.#runtime.timers.after(POLL_EVERY_MS, () => {
      this.#dispatch.route.catchUp();
      this.topics.poke();
      this.contexts.poke();
      this.runs.poke();
      this.#reporter.storeLooked();
      for (const range of this.#adapter.health().lost ?? []) {
        if (!isWithin(range, this.#lostBefore)) this.#noteLost(range);
      }
      this.#poll();
    });
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#dispatch.halt();
    this.subscriptions.halt();
  }

  #failed(): EventManagerError {
    return new EventManagerError('store_failed', 'The engine stopped after a failure.', {}, this.#failure);
  }

  #assertOpen(): void {
    if (this.#closing) throw new EventManagerError('closed', 'The event manager is closed.');
    if (this.#failure) throw this.#failed();
  }
}

function isWithin(range: LostRange, known: readonly LostRange[]): boolean {
  return known.some(({ from, through }) => from <= range.from && through >= range.through);
}

/** Whoever asks for health may be a stranger: the words of an error that is not ours can hold paths and addresses. */
function reasonOf(failure: unknown): string {
  return isEventManagerError(failure) ? failure.message : 'The engine stopped after an unexpected error.';
}
