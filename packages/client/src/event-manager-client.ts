import type {
  DeadLetter,
  EngineHealth,
  Event,
  EventsRequest,
  SubscriptionDefinition,
  SubscriptionStatus,
} from '@event-manager/core';
import type { JsonObject } from '@event-manager/core/portable';
import { type ClientOptions, clientSettings } from './client-options.ts';
import { HttpCaller } from './http/http-caller.ts';
import { type FoundEvents, RemoteState } from './http/remote-state.ts';
import { serviceAddress } from './service-address.ts';

/** The bus over the network. */
export class EventManagerClient {
  readonly #http: HttpCaller;
  readonly #state: RemoteState;

  /** Nothing is called before the first use. Throws `TypeError` for an address or an option that cannot be meant. */
  constructor(url: string | URL, options: ClientOptions = {}) {
    const { runtime, requestTimeoutMs } = clientSettings(options);
    this.#http = new HttpCaller({ url: serviceAddress(url).http, runtime, requestTimeoutMs });
    this.#state = new RemoteState(this.#http);
  }

  updateSubscription(subscriptionId: string, changes: JsonObject): Promise<SubscriptionDefinition> {
    return this.#state.updateSubscription(subscriptionId, changes);
  }

  pauseSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    return this.#state.pauseSubscription(subscriptionId);
  }

  resumeSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    return this.#state.resumeSubscription(subscriptionId);
  }

  getSubscription(subscriptionId: string): Promise<SubscriptionDefinition & { readonly status: SubscriptionStatus }> {
    return this.#state.subscription(subscriptionId);
  }

  listSubscriptions(): Promise<readonly SubscriptionDefinition[]> {
    return this.#state.subscriptions();
  }

  unsubscribe(subscriptionId: string): Promise<void> {
    return this.#state.deleteSubscription(subscriptionId);
  }

  getEvent(eventId: string): Promise<Event> {
    return this.#state.event(eventId);
  }

  getEvents(query: unknown = {}, request: EventsRequest = {}): Promise<FoundEvents> {
    return this.#state.events(query, request);
  }

  listDeadLetters(subscriptionId?: string): Promise<readonly DeadLetter[]> {
    return this.#state.deadLetters(subscriptionId);
  }

  getDeadLetter(id: string): Promise<DeadLetter> {
    return this.#state.deadLetter(id);
  }

  getHealth(): Promise<EngineHealth> {
    return this.#state.health();
  }

  async close(): Promise<void> {
    this.#http.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
