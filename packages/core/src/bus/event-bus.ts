import type { EventBusAdapter } from '../contracts/adapter.ts';
import { EventManager, type EventManagerOptions, type Subscription } from '../event-manager.ts';
import type { PublishResult } from '../ingest/publish-result.ts';
import { memory } from '../memory/memory.ts';
import { type BusEvent, busEvent } from './bus-event.ts';
import { type BusHandler, type BusSubscribeOptions, subscribeRequest } from './bus-subscription.ts';
import { type Middleware, MiddlewarePipeline } from './middleware-pipeline.ts';
import {
  type BusEventIn,
  type BusPublishOptions,
  eventOfArguments,
  type PublishArguments,
} from './publish-arguments.ts';

/** The acknowledgement, or word of the middleware that kept the event back. */
export type BusPublishResult = PublishResult | { readonly filtered: true; readonly by: string };

export interface EventBusOptions extends EventManagerOptions {
  /** Who publishes: `source` of events that do not say it. */
  readonly name?: string | undefined;
}

export interface EventBusStats {
  readonly adapter: string;
  readonly isHealthy: boolean;
  readonly publishedEvents: number;
  readonly failedEvents: number;
  readonly activeSubscriptions: number;
}

const SOURCE = 'event-bus';
const FLOW_MAX = 1_000;

/** The bus with the face of an emitter: the same engine as `EventManager`, which is there under `eventManager`. */
export class EventBus implements AsyncDisposable {
  readonly eventManager: EventManager;
  readonly #source: string;
  readonly #pipeline = new MiddlewarePipeline();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #adapter: string;

  constructor(options?: EventBusOptions);
  constructor(adapter: EventBusAdapter, name?: string);
  constructor(first: EventBusOptions | EventBusAdapter = {}, name?: string) {
    const { name: given, ...options }: EventBusOptions = 'store' in first ? { adapter: first, name } : first;
    const { adapter = memory(options.runtime ? { runtime: options.runtime } : {}) } = options;
    this.#source = given ?? SOURCE;
    this.#adapter = adapter.name;
    this.eventManager = new EventManager({ ...options, adapter });
  }

  publish(event: BusEventIn): Promise<BusPublishResult>;
  publish(topic: string, type: string, payload?: unknown, options?: BusPublishOptions): Promise<BusPublishResult>;
  async publish(...given: unknown[]): Promise<BusPublishResult> {
    const event = eventOfArguments(given as unknown as PublishArguments, this.#source);
    if (this.#pipeline.isEmpty) return this.eventManager.publish(event);
    const passed = await this.#pipeline.run(event);
    return 'filtered' in passed ? passed : this.eventManager.publish(passed.event);
  }

  /** Resolves with the id of the subscription: every event published from now on is owed to it. */
  async subscribe(topic: string, handler: BusHandler, options: BusSubscribeOptions = {}): Promise<string> {
    const subscription = await this.eventManager.subscribe(subscribeRequest(topic, handler, options));
    this.#subscriptions.set(subscription.id, subscription);
    return subscription.id;
  }

  async unsubscribe(subscriptionId: string): Promise<void> {
    this.#subscriptions.delete(subscriptionId);
    await this.eventManager.unsubscribe(subscriptionId);
  }

  /** Adds a step in front of the store; what this returns takes it away again. */
  use(middleware: Middleware): () => void {
    return this.#pipeline.add(middleware);
  }

  async isHealthy(): Promise<boolean> {
    return (await this.eventManager.getHealth()).status === 'ok';
  }

  async getStats(): Promise<EventBusStats> {
    const [health, metrics] = [await this.eventManager.getHealth(), await this.eventManager.getMetrics()];
    return {
      adapter: this.#adapter,
      isHealthy: health.status === 'ok',
      publishedEvents: metrics.eventsPublished,
      failedEvents: metrics.eventsFailed,
      activeSubscriptions: health.subscriptions,
    };
  }

  /** The events of one flow, oldest first. Needs no `this`. */
  readonly queryEventsByCorrelationId = async (correlationId: string): Promise<readonly BusEvent[]> => {
    const events = await this.eventManager.getEvents({ correlationId }, { limit: FLOW_MAX });
    return events.map(busEvent);
  };

  /** Resolves when everything acknowledged so far is settled: for tests. */
  settled(): Promise<void> {
    return this.eventManager.settled();
  }

  close(): Promise<void> {
    return this.eventManager.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
