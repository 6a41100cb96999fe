/**
 * What `createRealtimeStream` and `setupRealtimeStream` give: a subscription with an ear.
 *
 *     opening ──subscribed, and connected or known not to be──▶ open ──close──▶ closed
 *
 * It can be used before it is open, as the specification does: `onEvent` of what was not awaited registers the handler, which
 * is called from the first event on. The same for the bus in this process and for one over the network; what differs
 * stands behind `RealtimeHost`.
 */
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { Event } from '../event/event.ts';
import type { EventManager, SubscribeRequest, Subscription } from '../event-manager.ts';
import type { JsonObject } from '../json.ts';
import { hasOwnName, type RealtimeRequest, setupRequestOf, subscribeRequestOf } from './realtime-request.ts';

/** Gets each event. What it returns takes the place of the event for the handlers after it and for the endpoint; nothing leaves it as it is. */
export type RealtimeHandler = (event: Event) => unknown;

export interface RealtimeStream extends AsyncDisposable {
  readonly subscription: Subscription;
  /** Handlers are called in the order of their registration. Returns how to take it away again. */
  onEvent(handler: RealtimeHandler): () => void;
  /** With an endpoint: the bus is connected to it. Without: the events come to this program. */
  isConnected(): boolean;
  /** Ends the stream. A subscription with a name of its own stays, and its endpoint is served on; any other ends with its debt. */
  close(): Promise<void>;
}

/** A stream that may not be open yet. */
export type OpeningRealtimeStream = Promise<RealtimeStream> & Pick<RealtimeStream, 'onEvent' | 'isConnected' | 'close'>;

/** Where a stream lives. */
export interface RealtimeHost {
  readonly events: Pick<EventManager, 'subscribe' | 'unsubscribe' | 'updateSubscription' | 'listSubscriptions'>;
  /** Events of a subscription without endpoint come to this program now. */
  isAttached(subscriptionId: string): boolean;
  /** Connects the handlers with a subscription that has an endpoint. */
  follow(subscription: Subscription, run: RealtimeHandler): Promise<Following>;
}

/** A subscription with an endpoint, as far as its stream is concerned. */
export interface Following {
  isConnected(): boolean;
  /** There are handlers now. */
  listen(): void;
  stop(): void;
}

/** Throws what `subscribe` throws. */
export function createRealtimeStream(host: RealtimeHost, request: RealtimeRequest): OpeningRealtimeStream {
  return opening(new Stream(host), (stream) => stream.open(request, 'create'));
}

/** The same of a subscriber, with everything it wants in one object. A stream that it set up before is changed. */
export function setupRealtimeStream(
  host: RealtimeHost,
  subscriberId: string,
  options?: unknown,
): OpeningRealtimeStream {
  return opening(new Stream(host), (stream) => stream.open(setupRequestOf(subscriberId, options), 'setup'));
}

function opening(stream: Stream, open: (stream: Stream) => Promise<RealtimeStream>): OpeningRealtimeStream {
  const opened = open(stream);
  return Object.assign(opened, {
    onEvent: (handler: RealtimeHandler) => stream.onEvent(handler),
    isConnected: () => stream.isConnected(),
    close: async () => (await opened).close(),
  });
}

class Stream implements RealtimeStream {
  readonly #host: RealtimeHost;
  readonly #handlers = new Set<RealtimeHandler>();
  readonly #hasHandler = Promise.withResolvers<void>();
  #subscription: Subscription | undefined;
  #following: Following | undefined;
  #staysBehind = false;
  #isClosed = false;

  constructor(host: RealtimeHost) {
    this.#host = host;
  }

  get subscription(): Subscription {
    if (this.#subscription) return this.#subscription;
    throw new EventManagerError('closed', 'The stream is not open yet.');
  }

  async open(request: RealtimeRequest, how: 'create' | 'setup'): Promise<RealtimeStream> {
    const asked = subscribeRequestOf(request);
    this.#staysBehind = hasOwnName(request);
    if (asked['endpoint'] === undefined) {
      const handler = async (event: Event) => {
        await this.#hasHandler.promise;
        return this.#run(event);
      };
      this.#subscription = await this.#host.events.subscribe({ ...asked, handler } as unknown as SubscribeRequest);
      return this;
    }
    this.#subscription = await this.#subscribe(asked, how);
    this.#following = await this.#host.follow(this.#subscription, (event) => this.#run(event));
    if (this.#handlers.size > 0) this.#following.listen();
    return this;
  }

  onEvent(handler: RealtimeHandler): () => void {
    this.#handlers.add(handler);
    this.#hasHandler.resolve();
    this.#following?.listen();
    return () => void this.#handlers.delete(handler);
  }

  isConnected(): boolean {
    if (this.#isClosed || !this.#subscription) return false;
    return this.#following?.isConnected() ?? this.#host.isAttached(this.#subscription.id);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#following?.stop();
    if (this.#staysBehind) await this.#subscription?.[Symbol.asyncDispose]();
    else await this.#subscription?.unsubscribe();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #subscribe(asked: Readonly<Record<string, unknown>>, how: 'create' | 'setup'): Promise<Subscription> {
    const { events } = this.#host;
    try {
      return await events.subscribe(asked as unknown as SubscribeRequest);
    } catch (error) {
      if (how === 'create' || !isEventManagerError(error, 'subscription_conflict')) throw error;
      const before = (await events.listSubscriptions()).find(({ name }) => name === asked['name']);
      if (!before) throw error;
      const { id } = before;
      const { name: _name, filters = {}, ...changes } = asked;
      const definition = await events.updateSubscription(id, { filters, ...changes } as JsonObject);
      const unsubscribe = () => events.unsubscribe(id);
      const detach = async () => {};
      return { id, definition, unsubscribe, detach, [Symbol.asyncDispose]: detach };
    }
  }

  /** What a handler refuses with `success: false` ends there, and is the answer. */
  async #run(event: Event): Promise<unknown> {
    let value: unknown = event;
    for (const handler of this.#handlers) {
      const made = await handler(value as Event);
      if (typeof made !== 'object' || made === null) continue;
      if ((made as { success?: unknown }).success === false) return made;
      if ('type' in made) value = made;
    }
    return value;
  }
}
