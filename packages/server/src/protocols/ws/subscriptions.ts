import { ANONYMOUS, type Clock, EventManagerError, isEventManagerError, type JsonValue } from '@event-manager/core';
import { attachSubscription } from '../../operations/attach-subscription.ts';
import { deleteSubscription } from '../../operations/delete-subscription.ts';
import type { SubscriptionDescription } from '../../operations/describe-subscription.ts';
import { detachSubscription } from '../../operations/detach-subscription.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import { Deliveries } from './deliveries.ts';
import type { Outbox } from './outbox.ts';
import { SocketSink } from './socket-sink.ts';

export interface SubscriptionsOptions {
  readonly context: OperationContext;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

interface Served {
  readonly sink: SocketSink;
  /** The last progress that the client was told. */
  settled: string | undefined;
}

/** The subscriptions that are served through one connection. */
export class Subscriptions {
  readonly deliveries: Deliveries;
  readonly #options: SubscriptionsOptions;
  readonly #served = new Map<string, Served>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.deliveries = new Deliveries(options.clock);
  }

  /** Calls `told` before the first delivery is sent. Throws what `Subscriptions.subscribe` of core throws. */
  async subscribe(input: JsonValue, told: (subscription: SubscriptionDescription) => void): Promise<void> {
    const { context, outbox, clock } = this.#options;
    const sink = new SocketSink({ outbox, clock, deliveries: this.deliveries });
    let id: string | undefined;
    let left: string | undefined;
    const onLeft = (reason: string) => {
      left = reason;
      if (id !== undefined) this.#left(id, sink, reason);
    };
    const subscription = await attachSubscription(context, ANONYMOUS, input, { sink, onLeft });
    id = subscription.id;
    if (outbox.isClosed) {
      await this.#leave(id, sink, 0);
      return;
    }
    told(subscription);
    const served: Served = { sink, settled: undefined };
    this.#served.set(id, served);
    if (left !== undefined) {
      this.#left(id, sink, left);
      return;
    }
    // An unnamed one ends with the connection: from here on its client knows where to begin again.
    this.#tellProgress(id, served);
    sink.open(id);
  }

  /** Ends a subscription, whoever serves it. Throws `subscription_not_found`. */
  async unsubscribe(id: string): Promise<void> {
    const served = this.#served.get(id);
    this.#served.delete(id);
    try {
      await deleteSubscription(this.#options.context, ANONYMOUS, id);
    } catch (error) {
      if (served) await this.#serveOn(id, served);
      throw error;
    }
  }

  /** Leaves a subscription once what is under way was answered. Throws `invalid_request` when it is not served here. */
  async detach(id: string, drainMs?: number): Promise<void> {
    const served = this.#served.get(id);
    if (!served) {
      const words = 'This connection does not serve the subscription.';
      throw new EventManagerError('invalid_request', words, { pointer: '/subscription' });
    }
    this.#served.delete(id);
    await this.#leave(id, served.sink, drainMs);
  }

  /** Leaves all; what is not answered within `drainMs` is released. */
  async leaveAll(drainMs: number): Promise<void> {
    const served = [...this.#served];
    this.#served.clear();
    await Promise.all(served.map(([id, { sink }]) => this.#leave(id, sink, drainMs)));
  }

  /** Tells how far everything is settled, where that moved, and forgets what nobody waits for. */
  tick(): void {
    if (this.deliveries.size > 0) this.deliveries.sweep();
    const { outbox } = this.#options;
    for (const [id, served] of this.#served) {
      if (outbox.isFull) return;
      this.#tellProgress(id, served);
    }
  }

  #tellProgress(id: string, served: Served): void {
    const { context, outbox } = this.#options;
    const settled = context.engine.subscriptions.settledCursor(id);
    if (settled === undefined || settled === served.settled) return;
    served.settled = settled;
    outbox.send(`{"type":"progress","subscription":"${id}","cursor":"${settled}"}`);
  }

  /** It could not be ended: the connection serves it as before, and leaves it when it ends. */
  async #serveOn(id: string, served: Served): Promise<void> {
    if (this.#options.outbox.isClosed) await this.#leave(id, served.sink, 0);
    else this.#served.set(id, served);
  }

  /** Somebody else serves it, or it ended: the client should know that nothing more comes. */
  #left(id: string, sink: SocketSink, reason: string): void {
    if (this.#served.get(id)?.sink !== sink) return;
    this.#served.delete(id);
    this.#options.outbox.send(`{"type":"detached","subscription":"${id}","reason":"${reason}"}`);
  }

  async #leave(id: string, sink: SocketSink, drainMs: number | undefined): Promise<void> {
    try {
      await detachSubscription(this.#options.context, ANONYMOUS, id, { sink, drainMs });
    } catch (error) {
      // Gone already, or nothing can be written any more: then it is released by the next start.
      if (!isEventManagerError(error)) this.#options.onFailure(error);
    }
  }
}
