import type { EventBusAdapter } from './contracts/adapter.ts';
import type { Recorded } from './contracts/event-store.ts';
import type { DeadLetter } from './dispatch/dead-letter.ts';
import { Engine, type EngineHealth, type EngineOptions, type StreamRequest } from './engine.ts';
import { EventManagerError } from './errors/event-manager-error.ts';
import { decodeEvent } from './event/decode-event.ts';
import type { Event, EventIn } from './event/event.ts';
import type { BatchResult } from './ingest/ingest.ts';
import type { PublishResult } from './ingest/publish-result.ts';
import type { JsonObject } from './json.ts';
import { memory } from './memory/memory.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import { decodeCursor, encodeCursor } from './query/cursor.ts';
import { parseEventQuery } from './query/parse-query.ts';
import type { BatchHandler, EventHandler } from './sink/handler-sink.ts';
import type { StreamReader } from './stream/stream-reader.ts';
import type { SubscriptionDefinition } from './subscription/subscription.ts';
import type { SubscriptionStatus } from './subscription/subscriptions.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

/** What `subscribe` takes; `docs/` lists every spelling and default. Exactly one of handler, batchHandler and endpoint. */
export interface SubscribeRequest {
  /** Topic pattern. */
  readonly topic: string;
  readonly handler?: EventHandler;
  readonly batchHandler?: BatchHandler;
  /** URL of a webhook. */
  readonly endpoint?: string;
  /** With a name the subscription outlives its process. */
  readonly name?: string;
  readonly filter?: unknown;
  readonly options?: unknown;
  readonly [field: string]: unknown;
}

/** A subscription as its subscriber holds it. */
export interface Subscription extends AsyncDisposable {
  readonly id: string;
  readonly definition: SubscriptionDefinition;
  /** The same as `EventManager.unsubscribe(id)`. */
  unsubscribe(): Promise<void>;
}

export interface BatchPublishResult {
  /** One per event, in order. */
  readonly results: readonly BatchResult[];
  readonly stored: number;
  readonly duplicates: number;
  readonly failed: number;
}

export interface EventsRequest {
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
  /** `forward` (default) is oldest first. */
  readonly direction?: 'forward' | 'backward';
}

export interface EventsPage {
  readonly events: readonly Event[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
  /** False when the search was ended by its time budget; `nextCursor` continues it. */
  readonly complete: boolean;
}

/** The bus as applications see it; the same interface embedded and over the network. */
export interface EventManager extends AsyncDisposable {
  /** Resolves when the event is as durable as the adapter promises. Throws `EventManagerError`. */
  publish(event: EventIn): Promise<PublishResult>;
  /** Stores the good events of the batch; each bad one has its own error in `results`. */
  publishBatch(events: readonly EventIn[]): Promise<BatchPublishResult>;
  /** Every event acknowledged after this resolved is owed to the subscription. */
  subscribe(request: SubscribeRequest): Promise<Subscription>;
  /** Throws `subscription_not_found`. */
  unsubscribe(subscriptionId: string): Promise<void>;
  /** In force when it resolves; inside the subscription's own handler once the attempts under way have ended. */
  updateSubscription(subscriptionId: string, changes: JsonObject): Promise<SubscriptionDefinition>;
  pauseSubscription(subscriptionId: string): Promise<SubscriptionDefinition>;
  resumeSubscription(subscriptionId: string): Promise<SubscriptionDefinition>;
  getSubscription(subscriptionId: string): Promise<SubscriptionDefinition & { readonly status: SubscriptionStatus }>;
  listSubscriptions(): Promise<readonly SubscriptionDefinition[]>;
  /** Throws `event_not_found`. */
  getEvent(eventId: string): Promise<Event>;
  /** Stored events by the fields of `EventQuery`, in any documented spelling. */
  getEvents(query?: unknown, request?: EventsRequest): Promise<EventsPage>;
  /** Reads the log from a cursor, without debt. */
  stream(request?: StreamRequest): Promise<StreamReader>;
  /** Of one subscription, or of all; in the order of their keys: subscription, then position. */
  listDeadLetters(subscriptionId?: string): Promise<readonly DeadLetter[]>;
  getHealth(): Promise<EngineHealth>;
  /** Resolves when everything acknowledged so far is settled: for tests. */
  settled(): Promise<void>;
  /** Ends in order. Rejects, with everything released, when progress did not become durable. */
  close(): Promise<void>;
}

export interface EventManagerOptions extends Partial<Omit<EngineOptions, 'adapter'>> {
  /** Where events are kept. Default: in memory. */
  readonly adapter?: EventBusAdapter;
  readonly principal?: Principal;
}

class EmbeddedEventManager implements EventManager {
  readonly #options: EventManagerOptions;
  readonly #principal: Principal;
  #opening: Promise<Engine> | undefined;
  #engine: Engine | undefined;
  #closed = false;

  constructor(options: EventManagerOptions = {}) {
    this.#options = options;
    this.#principal = options.principal ?? ANONYMOUS;
  }

  publish(event: EventIn): Promise<PublishResult> {
    // Not an async function: it would add three turns of the microtask queue to every event.
    if (this.#engine && !this.#closed) return this.#engine.publish(this.#principal, event);
    return this.#open().then((engine) => engine.publish(this.#principal, event));
  }

  async publishBatch(events: readonly EventIn[]): Promise<BatchPublishResult> {
    const engine = await this.#open();
    const results = await engine.publishBatch(this.#principal, events);
    const failed = results.filter((result) => result instanceof EventManagerError).length;
    const duplicates = results.filter((result) => !(result instanceof EventManagerError) && result.duplicate).length;
    return { results, failed, duplicates, stored: results.length - failed - duplicates };
  }

  async subscribe(request: SubscribeRequest): Promise<Subscription> {
    const engine = await this.#open();
    const definition = await engine.subscriptions.subscribe(this.#principal, request);
    const unsubscribe = () => this.unsubscribe(definition.id);
    return { id: definition.id, definition, unsubscribe, [Symbol.asyncDispose]: unsubscribe };
  }

  async unsubscribe(subscriptionId: string): Promise<void> {
    const engine = await this.#open();
    await engine.subscriptions.unsubscribe(this.#principal, subscriptionId);
  }

  async updateSubscription(subscriptionId: string, changes: JsonObject): Promise<SubscriptionDefinition> {
    const engine = await this.#open();
    return engine.subscriptions.update(this.#principal, subscriptionId, changes);
  }

  async pauseSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    const engine = await this.#open();
    return engine.subscriptions.pause(this.#principal, subscriptionId);
  }

  async resumeSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    const engine = await this.#open();
    return engine.subscriptions.resume(this.#principal, subscriptionId);
  }

  async getSubscription(subscriptionId: string): Promise<SubscriptionDefinition & { status: SubscriptionStatus }> {
    const { subscriptions } = await this.#open();
    const definition = subscriptions.get(this.#principal, subscriptionId);
    return { ...definition, status: subscriptions.status(this.#principal, subscriptionId) };
  }

  async listSubscriptions(): Promise<readonly SubscriptionDefinition[]> {
    const engine = await this.#open();
    return engine.subscriptions.list(this.#principal);
  }

  async getEvent(eventId: string): Promise<Event> {
    const engine = await this.#open();
    const record = await engine.event(this.#principal, eventId);
    if (!record) throw new EventManagerError('event_not_found', 'No event with this id is kept.', { id: eventId });
    return decodeEvent(record.body);
  }

  async getEvents(query: unknown = {}, request: EventsRequest = {}): Promise<EventsPage> {
    const engine = await this.#open();
    const { limit = PAGE_DEFAULT, direction = 'forward', cursor } = request;
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
      throw new EventManagerError('invalid_query', `limit is a whole number from 1 to ${PAGE_MAX}.`, {
        pointer: '/limit',
      });
    }
    const parsed = parseEventQuery(query, engine.limits);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, '/cursor')[0];
    const found = await engine.find(this.#principal, parsed, { limit, direction, after });
    return {
      events: found.records.map((record: Recorded) => decodeEvent(record.body)),
      ...(found.next === undefined ? {} : { nextCursor: encodeCursor([found.next]) }),
      complete: found.complete,
    };
  }

  async stream(request: StreamRequest = {}): Promise<StreamReader> {
    const engine = await this.#open();
    return engine.stream(this.#principal, request);
  }

  async listDeadLetters(subscriptionId?: string): Promise<readonly DeadLetter[]> {
    const engine = await this.#open();
    return engine.deadLetters(this.#principal, subscriptionId);
  }

  async getHealth(): Promise<EngineHealth> {
    const engine = await this.#open();
    return engine.health();
  }

  async settled(): Promise<void> {
    const engine = await this.#open();
    await engine.settled();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    if (opening) await (await opening).close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(): Promise<Engine> {
    if (this.#closed) throw new EventManagerError('closed', 'The event manager is closed.');
    this.#opening ??= Engine.open({ ...this.#options, adapter: this.#options.adapter ?? memory() });
    try {
      this.#engine = await this.#opening;
    } catch (error) {
      // The next call tries again: a lock may have been freed meanwhile.
      this.#opening = undefined;
      throw error;
    }
    return this.#engine;
  }
}

/** Makes an embedded event manager. The adapter is opened by the first call. Without options everything is in memory. */
export const EventManager: new (options?: EventManagerOptions) => EventManager = EmbeddedEventManager;
