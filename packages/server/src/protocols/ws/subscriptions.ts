import {
  ANONYMOUS,
  type Clock,
  EventManagerError,
  isEventManagerError,
  type JsonValue,
  type Timers,
} from '@event-manager/core';
import { attachSubscription } from '../../operations/attach-subscription.ts';
import { deleteSubscription } from '../../operations/delete-subscription.ts';
import type { SubscriptionDescription } from '../../operations/describe-subscription.ts';
import { detachSubscription } from '../../operations/detach-subscription.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import { Deliveries } from './deliveries.ts';
import type { Outbox } from './outbox.ts';
import { addressed, SocketSink } from './socket-sink.ts';

/** A subscription as a frame names it: the id of one, and as which member the connection serves it, if it said so. */
export interface Named {
  readonly subscription: string;
  readonly member?: string | undefined;
}

export interface SubscriptionsOptions {
  /** Of the connection. */
  readonly id: string;
  readonly context: OperationContext;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The peer has said goodbye. */
  readonly onLost: () => void;
  readonly onFailure: (error: unknown) => void;
}

interface Served extends Named {
  readonly sink: SocketSink;
  /** The last progress that the client was told. */
  settled: string | undefined;
}

/**
 * The subscriptions that are served through one connection. It may serve one several times, as different members. A client
 * that names its member takes the place of an older connection that did; to one that does not its connection is the member.
 */
export class Subscriptions {
  readonly deliveries: Deliveries;
  readonly #options: SubscriptionsOptions;
  readonly #served = new Map<string, Served>();
  /** What is left, and may have deliveries that the client still answers. */
  readonly #leaving = new Set<SocketSink>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.deliveries = new Deliveries(options.clock);
  }

  /** Calls `told` before the first delivery is sent. Throws what `Subscriptions.subscribe` of core throws. */
  async subscribe(
    { subscription: input, member }: { readonly subscription: JsonValue; readonly member?: string },
    told: (subscription: SubscriptionDescription) => void,
  ): Promise<void> {
    const { id: connection, context, outbox, clock, timers, onLost } = this.#options;
    const sink = new SocketSink({ outbox, clock, timers, onLost, deliveries: this.deliveries, member });
    let served: Served | undefined;
    let left: string | undefined;
    const onLeft = (reason: string) => {
      left = reason;
      if (served) this.#left(served, reason);
    };
    const attached = { sink, onLeft, member: member === undefined ? `connection ${connection}` : `member ${member}` };
    const subscription = await attachSubscription(context, ANONYMOUS, input, attached);
    const { id } = subscription;
    if (outbox.isClosed) {
      await this.#leave(id, sink, 0);
      return;
    }
    told(subscription);
    if (left !== undefined) {
      // Whoever took its place may be in ours already: it must stay there.
      this.#tellLeft({ subscription: id, member }, left);
      return;
    }
    served = { subscription: id, member, sink, settled: undefined };
    this.#served.set(placeOf(served), served);
    // An unnamed one ends with the connection: from here on its client knows where to begin again.
    this.#tellProgress(served);
    sink.open(id);
  }

  /** Ends a subscription, whoever serves it. Throws `subscription_not_found`. */
  async unsubscribe(named: Named): Promise<void> {
    const served = this.#served.get(placeOf(named));
    this.#served.delete(placeOf(named));
    try {
      await deleteSubscription(this.#options.context, ANONYMOUS, named.subscription);
    } catch (error) {
      if (served) await this.#serveOn(served);
      throw error;
    }
  }

  /** Leaves a subscription once what is under way was answered. Throws `invalid_request` when it is not served here. */
  async detach(named: Named, drainMs?: number): Promise<void> {
    const served = this.#served.get(placeOf(named));
    if (!served) {
      const words = 'This connection does not serve the subscription.';
      throw new EventManagerError('invalid_request', words, { pointer: '/subscription' });
    }
    this.#served.delete(placeOf(named));
    await this.#leave(served.subscription, served.sink, drainMs);
  }

  /** Leaves all; what is not answered within `drainMs` is released, also of those that were being left with more time. */
  async leaveAll(drainMs: number): Promise<void> {
    const cancel = this.#options.timers.after(drainMs, () => this.#giveUpLeaving());
    await this.#leaveServed(drainMs);
    if (this.#leaving.size === 0) cancel();
  }

  /** Nobody is there to answer any more: also not what is being left. */
  lost(): void {
    this.#giveUpLeaving();
    void this.#leaveServed(0);
  }

  async #leaveServed(drainMs: number): Promise<void> {
    const served = [...this.#served.values()];
    this.#served.clear();
    await Promise.all(served.map(({ subscription, sink }) => this.#leave(subscription, sink, drainMs)));
  }

  #giveUpLeaving(): void {
    for (const sink of this.#leaving) sink.giveUp();
  }

  /** Tells how far everything is settled, where that moved, and forgets what nobody waits for. */
  tick(): void {
    if (this.deliveries.size > 0) this.deliveries.sweep();
    const { outbox } = this.#options;
    for (const served of this.#served.values()) {
      if (outbox.isFull) return;
      this.#tellProgress(served);
    }
  }

  #tellProgress(served: Served): void {
    const { context, outbox } = this.#options;
    const { subscription, member } = served;
    const settled = context.engine.subscriptions.settledCursor(subscription);
    if (settled === undefined || settled === served.settled) return;
    served.settled = settled;
    outbox.send(`{"type":"progress",${addressed(subscription, member)},"cursor":"${settled}"}`);
  }

  /** It could not be ended: the connection serves it as before, and leaves it when it ends. */
  async #serveOn(served: Served): Promise<void> {
    if (this.#options.outbox.isClosed) await this.#leave(served.subscription, served.sink, 0);
    else this.#served.set(placeOf(served), served);
  }

  /** Somebody else serves it, or it ended: the client should know that nothing more comes. */
  #left(served: Served, reason: string): void {
    const place = placeOf(served);
    if (this.#served.get(place) !== served) return;
    this.#served.delete(place);
    this.#tellLeft(served, reason);
  }

  #tellLeft({ subscription, member }: Named, reason: string): void {
    this.#options.outbox.send(`{"type":"detached",${addressed(subscription, member)},"reason":"${reason}"}`);
  }

  async #leave(id: string, sink: SocketSink, drainMs: number | undefined): Promise<void> {
    this.#leaving.add(sink);
    try {
      await detachSubscription(this.#options.context, ANONYMOUS, id, { sink, drainMs });
    } catch (error) {
      // Gone already, or nothing can be written any more: then it is released by the next start.
      if (!isEventManagerError(error)) this.#options.onFailure(error);
    } finally {
      this.#leaving.delete(sink);
    }
  }
}

function placeOf({ subscription, member = '' }: Named): string {
  return `${subscription} ${member}`;
}
