import type { EventBusAdapter } from '../contracts/adapter.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Event, EventIn } from '../event/event.ts';
import { EventManager } from '../event-manager.ts';
import type { Timers } from '../runtime/clock.ts';
import { type ListenOptions, type Off, Signal } from '../signal/signal.ts';
import type { SignalEventsOptions } from '../signal/signal-events.ts';
import type { Emitted, EmittedPayload, Listener } from '../typed/emitted.ts';
import type { EventTypeOf } from '../typed/event-map.ts';
import { type AnyBusEvents, type BusEventOf, type BusEventOn, busEvent } from './bus-event.ts';
import { BusMeter, type BusMetrics } from './bus-meter.ts';
import { type BusSettings, type EventBusOptions, readBusOptions } from './bus-options.ts';
import { type BusPublishResult, isFiltered } from './bus-publish-result.ts';
import type { BusHandler, BusSubscribeOptions } from './bus-subscription.ts';
import { BusSubscriptions } from './bus-subscriptions.ts';
import { flowEvents } from './flow-events.ts';
import { LoadedHandlers, type LoadHandlersOptions } from './handlers/loaded-handlers.ts';
import type { Middleware, MiddlewareStats } from './middleware/middleware.ts';
import { MiddlewarePipeline } from './middleware/middleware-pipeline.ts';
import { BusPlugins } from './plugins/bus-plugins.ts';
import { folderOf } from './plugins/import-module.ts';
import type { LoadedPlugin, PluginIn } from './plugins/plugin.ts';
import {
  type BusEventInOf,
  eventOfArguments,
  type PayloadArguments,
  type PublishArguments,
} from './publish-arguments.ts';
import { AdapterEventStore } from './store/adapter-event-store.ts';
import { assertEventStore } from './store/assert-event-store.ts';
import type { BusEventStore } from './store/bus-event-store.ts';
import { type StoreCell, storingAdapter } from './store/storing-adapter.ts';

export interface EventBusStats {
  /** Name of the adapter. */
  readonly adapter: string;
  readonly isHealthy: boolean;
  /** Stored since the start. */
  readonly publishedEvents: number;
  /** Deliveries whose attempt failed, whatever followed. */
  readonly failedEvents: number;
  readonly activeSubscriptions: number;
  /** Kept back by a middleware. */
  readonly filteredEvents: number;
  /** Dead letters made since the start. */
  readonly deadLetters: number;
}

/**
 * The bus with the face of an emitter: the same engine as `EventManager`, which is there under `eventManager`. The adapter is
 * opened by the first call. `Events` maps each event type to its payload; without it every payload is anything.
 */
export class EventBus<Events = AnyBusEvents> implements AsyncDisposable {
  readonly eventManager: EventManager<Events>;
  /** The same; what its events look like is known to the compiler alone. */
  readonly #engine: EventManager;
  readonly #settings: BusSettings;
  readonly #adapter: EventBusAdapter;
  readonly #pipeline: MiddlewarePipeline;
  readonly #plugins: BusPlugins;
  readonly #timers: Timers;
  readonly #handlers: LoadedHandlers[] = [];
  readonly #store: StoreCell;
  /** All that it was ever given. */
  readonly #stores = new Set<BusEventStore>();
  readonly #ownLog: BusEventStore;
  readonly #meter: BusMeter | undefined;
  readonly #parts = new Map<string, () => object>();
  readonly #subscriptions: BusSubscriptions;
  readonly #signal: Signal<Events>;
  #isClosed = false;

  constructor(options?: EventBusOptions<Events>);
  constructor(adapter: EventBusAdapter, name?: string);
  constructor(first: EventBusOptions<Events> | EventBusAdapter = {}, name?: string) {
    if (typeof first !== 'object' || first === null) throw new TypeError('An EventBus takes options or an adapter.');
    const { settings, adapter, managed } = readBusOptions<Events>('store' in first ? { adapter: first, name } : first);
    const { runtime } = settings;
    const { schemas } = managed;
    this.#settings = settings;
    this.#adapter = adapter;
    this.#meter = settings.enableMetrics ? new BusMeter(runtime.clock) : undefined;
    this.#timers = runtime.timers;
    this.#pipeline = new MiddlewarePipeline({ timeoutMs: settings.middlewareTimeoutMs, runtime });
    this.#plugins = new BusPlugins(this.#pipeline, { runtime, schemas }, settings.plugins);
    this.#store = { current: undefined };
    this.setEventStore(settings.eventStore);
    const { onListenerError: onError, maxListeners } = settings;
    this.#signal = new Signal<Events>({ onError, maxListeners });
    this.eventManager = new EventManager<Events>({ ...managed, adapter: storingAdapter(adapter, this.#store) });
    this.#ownLog = new AdapterEventStore(adapter, { opened: () => this.eventManager.getHealth() });
    this.#engine = this.eventManager as unknown as EventManager;
    this.#subscriptions = new BusSubscriptions(this.#engine, settings, this.#meter);
  }

  /** Opens adapter and store and loads plugins now, and not with the first call. Throws what they throw. */
  async initialize(): Promise<void> {
    await this.eventManager.getHealth();
    await this.#store.current?.open();
    if (this.#plugins.areWanted) await this.#plugins.loaded();
  }

  publish<Type extends EventTypeOf<Events>>(event: BusEventInOf<Events, Type>): Promise<BusPublishResult>;
  publish<Type extends EventTypeOf<Events>>(
    topic: string,
    type: Type,
    ...more: PayloadArguments<Events, Type>
  ): Promise<BusPublishResult>;
  async publish(...given: unknown[]): Promise<BusPublishResult> {
    try {
      const event = eventOfArguments(given as unknown as PublishArguments, this.#settings.source);
      if (this.#plugins.areWanted) {
        this.#assertOpen();
        await this.#plugins.loaded();
      }
      const result = await (this.#pipeline.isEmpty ? this.#append(event) : this.#pipeline.run(event, this.#append));
      if (this.#meter && isFiltered(result)) this.#meter.filtered++;
      return result;
    } catch (error) {
      if (this.#meter) this.#meter.errors++;
      throw error;
    }
  }

  readonly #append = async (event: EventIn): Promise<BusPublishResult> => {
    const result = await this.#engine.publish(this.#settings.upcasters.stamp(event));
    this.#meter?.published(event.type);
    return result;
  };

  /** Resolves with the id of the subscription: every event published from now on is owed to it. */
  subscribe<const Topic extends string>(
    topic: Topic,
    handler: BusHandler<BusEventOn<Events, Topic>>,
    options: BusSubscribeOptions = {},
  ): Promise<string> {
    return this.#subscriptions.add(topic, handler as BusHandler, options);
  }

  /**
   * The handler gets nothing more. A consumer group goes on without it: `eventManager.unsubscribe` ends one for everybody. Throws
   * `subscription_not_found`.
   */
  unsubscribe(subscriptionId: string): Promise<void> {
    return this.#subscriptions.remove(subscriptionId);
  }

  /**
   * Listens to what `emit` says in this process, by name or topic pattern. Nothing of it is stored, delivered again or seen by
   * subscriptions. Throws `invalid_pattern`.
   */
  on<const Name extends string>(name: Name, listener: Listener<Events, Name>, options?: ListenOptions): Off {
    return this.#signal.on(name, listener, options);
  }

  /** The same until it was called once. */
  once<const Name extends string>(name: Name, listener: Listener<Events, Name>, options?: ListenOptions): Off {
    return this.#signal.once(name, listener, options);
  }

  /** Listens to everything that is emitted; as `#`, it hears nothing of names that begin with `$`. */
  onAny(listener: Listener<Events, '#'>, options?: ListenOptions): Off {
    return this.#signal.onAny(listener, options);
  }

  /** Takes away a listener, or all of the name. */
  off<const Name extends string>(name: Name, listener?: Listener<Events, Name>): void {
    this.#signal.off(name, listener);
  }

  /** Calls the listeners of `on`, here and now. True when there are any; a bus that is closed has none. */
  emit<Type extends EventTypeOf<Events>>(type: Type, ...payload: EmittedPayload<Events[Type]>): boolean;
  emit(type: string, payload?: unknown): boolean {
    return (this.#signal as unknown as Signal<AnyBusEvents>).emit(type, payload);
  }

  /** The same, and resolves when what the listeners promised has ended, well or not. */
  emitAsync<Type extends EventTypeOf<Events>>(type: Type, ...payload: EmittedPayload<Events[Type]>): Promise<void>;
  emitAsync(type: string, payload?: unknown): Promise<void> {
    return (this.#signal as unknown as Signal<AnyBusEvents>).emitAsync(type, payload);
  }

  /** What is emitted from now on, for `for await`. Throws `overloaded` to who reads too slowly. */
  events<const Name extends string>(
    name: Name,
    options?: SignalEventsOptions,
  ): AsyncIterableIterator<Emitted<Events, Name>> & AsyncDisposable {
    return this.#signal.events(name, options);
  }

  listenerCount(name?: string): number {
    return this.#signal.listenerCount(name);
  }

  /** Adds a step in front of the store; what this returns takes it away again. `name` stands for it in answers and numbers. */
  use(middleware: Middleware, { name }: { readonly name?: string } = {}): () => void {
    return this.#pipeline.add(middleware, name);
  }

  /**
   * Adds middleware by name (`logging`, `metrics`, `filtering`, `rate-limiting`, `validation`, `error-handling`) or by the path of a
   * module, relative to `from` or the working directory: all of it or, when one cannot be loaded, none. Throws `plugin_failed`.
   */
  async usePlugins(
    plugins: readonly PluginIn[],
    { from }: { readonly from?: string | URL } = {},
  ): Promise<readonly LoadedPlugin[]> {
    if (!Array.isArray(plugins)) throw new TypeError('usePlugins takes a list.');
    this.#assertOpen();
    // Those of the options come first.
    if (this.#plugins.areWanted) await this.#plugins.loaded();
    return this.#plugins.add(plugins, folderOf(from));
  }

  /**
   * Subscribes the handlers of a module, which `reload` of what this returns imports anew; with `watch` a change of its file does.
   * Throws `plugin_failed` and what `subscribe` throws.
   */
  async loadHandlers(path: string, options: LoadHandlersOptions = {}): Promise<LoadedHandlers> {
    this.#assertOpen();
    const loaded = await LoadedHandlers.load(this.#subscriptions, path, options, this.#timers);
    this.#handlers.push(loaded);
    if (!this.#isClosed) return loaded;
    loaded.stop();
    throw closed();
  }

  /**
   * Keeps every event from now on in this store, before it is acknowledged; `undefined` ends that. An event that it refuses is
   * refused altogether. The store is an archive of what was acknowledged, for history, replays and snapshots; what subscriptions are
   * owed is kept by the adapter. An event for later is in the store when its time has come. The bus owns every store that it was
   * ever given, and closes it when it is closed itself: also one that another took the place of. Throws `closed` where nobody would
   * close it any more.
   */
  setEventStore(store: BusEventStore | undefined): void {
    if (store !== undefined) {
      assertEventStore(store, 'setEventStore');
      if (store instanceof AdapterEventStore && store.isOver(this.#adapter)) {
        throw new TypeError('The log of this bus is no second store of it: bus.eventStore reads it as it is.');
      }
      this.#assertOpen();
    }
    this.#store.current = store;
    if (store) this.#stores.add(store);
  }

  /** The store that was set, or the bus's own log to be read in the same way. */
  get eventStore(): BusEventStore {
    return this.#store.current ?? this.#ownLog;
  }

  /**
   * Hands an event out of a store to the handlers that want it, marked as a replay. Resolves with what they failed with. Throws
   * `closed`.
   */
  async deliverReplayed(event: Event, replayId: string, signal: AbortSignal): Promise<readonly unknown[]> {
    this.#assertOpen();
    return this.#subscriptions.receivers.deliver(event, replayId, signal);
  }

  /** What each plugin counted, under its name. */
  getPluginStats(): Readonly<Record<string, unknown>> {
    return this.#plugins.stats;
  }

  /** What became of the events that each middleware saw, in the order in which they stand. */
  getMiddlewareStats(): readonly MiddlewareStats[] {
    return this.#pipeline.stats;
  }

  /** True when it can be published to and everything that is owed makes progress. */
  async isHealthy(): Promise<boolean> {
    try {
      return (await this.eventManager.getHealth()).status === 'ok' && !this.#store.current?.failure;
    } catch {
      return false;
    }
  }

  async getStats(): Promise<EventBusStats> {
    const health = await this.eventManager.getHealth();
    const metrics = await this.eventManager.getMetrics();
    return {
      adapter: this.#adapter.name,
      isHealthy: health.status === 'ok' && !this.#store.current?.failure,
      publishedEvents: metrics.eventsPublished,
      failedEvents: metrics.eventsFailed,
      activeSubscriptions: health.subscriptions,
      filteredEvents: this.#meter?.filtered ?? 0,
      deadLetters: metrics.deadLetterCount,
    };
  }

  /** What was counted here, at once and without a promise. `undefined` where `enableMetrics` is false. */
  getMetrics(): BusMetrics | undefined {
    return this.#meter?.read({
      activeSubscriptions: this.#subscriptions.count,
      listeners: this.#signal.listenerCount(),
      ...(this.#parts.size === 0
        ? {}
        : { parts: Object.fromEntries([...this.#parts].map(([name, read]) => [name, read()])) }),
    });
  }

  /** Shows the numbers of what works beside the bus under `parts` of its own, a second one of a name as `name 2`. What this returns ends that. */
  attachMetrics(name: string, read: () => object): () => void {
    if (typeof read !== 'function') throw new TypeError('attachMetrics takes a name and a function.');
    let free = name;
    for (let count = 2; this.#parts.has(free); count++) free = `${name} ${count}`;
    this.#parts.set(free, read);
    return () => void this.#parts.delete(free);
  }

  /** An event of the log in the current version of its type, as handlers get it. Throws what its upcasters throw. */
  upcast(event: Event): Event {
    return this.#settings.upcasters.upcast(event);
  }

  /** The events of one flow, oldest first. Needs no `this`. */
  readonly queryEventsByCorrelationId = async (correlationId: string): Promise<readonly BusEventOf<Events>[]> => {
    const events = await flowEvents(this.#engine, correlationId);
    return events.map((event) => busEvent(this.#settings.upcasters.upcast(event)) as BusEventOf<Events>);
  };

  /** Resolves when everything acknowledged so far is settled, for every subscription that was made here: for tests. */
  settled(): Promise<void> {
    return this.#subscriptions.settled();
  }

  /** Ends in order: whoever listens or iterates is let go, store and plugins are closed. Rejects, with everything released, when progress did not become durable. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const handlers of this.#handlers.splice(0)) handlers.stop();
    try {
      await this.eventManager.close();
    } finally {
      this.#signal.close();
      await this.#plugins.close().finally(() => closeAll(this.#stores));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closed();
  }
}

function closed(): EventManagerError {
  return new EventManagerError('closed', 'The bus is closed.');
}

/** Each of them, whatever becomes of the others. Throws what the first one throws. */
async function closeAll(stores: Iterable<BusEventStore>): Promise<void> {
  const ends = await Promise.allSettled([...stores].map(async (store) => store.close()));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
