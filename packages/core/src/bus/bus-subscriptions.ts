import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { EventManager, Subscription } from '../event-manager.ts';
import type { Timers } from '../runtime/clock.ts';
import type { BusMeter } from './bus-meter.ts';
import type { BusSettings } from './bus-options.ts';
import { type BusHandler, type BusSubscribeOptions, subscribeRequest } from './bus-subscription.ts';
import { HandlerFailures } from './handler-failures.ts';
import { HandlerCounts } from './handlers/handler-counts.ts';
import type { HandlerHost } from './handlers/loaded-handlers.ts';
import { ReplayReceivers } from './store/replay-receivers.ts';

const SETTLED_LOOK_MS = 5;

/**
 * The subscriptions that were made through one bus. A subscription without a group ends with its handler. Of a group a handler
 * is one member: the first one has the id of the subscription, further ones in this process have a number behind it, so that each
 * can leave alone.
 */
export class BusSubscriptions implements HandlerHost {
  readonly #eventManager: EventManager;
  readonly #settings: BusSettings;
  readonly #meter: BusMeter | undefined;
  readonly #held = new Map<string, Subscription>();
  /** Of those that are held: they are asked to end. */
  readonly #leaving = new Set<string>();
  /** Of groups whose handler here has left under that id: said once more, it must not end the group for everybody. */
  readonly #left = new Set<string>();
  readonly #counts: HandlerCounts;
  readonly #failures: HandlerFailures;
  /** The same handlers, for events that come out of a store. */
  readonly receivers = new ReplayReceivers();
  readonly #timers: Timers;
  #members = 0;

  constructor(eventManager: EventManager, settings: BusSettings, meter: BusMeter | undefined) {
    this.#timers = settings.runtime.timers;
    this.#eventManager = eventManager;
    this.#settings = settings;
    this.#meter = meter;
    this.#counts = new HandlerCounts(settings.maxListeners);
    this.#failures = new HandlerFailures(settings.onHandlerError);
  }

  get count(): number {
    return this.#held.size - this.#leaving.size;
  }

  async add(topic: string, handler: BusHandler, options: BusSubscribeOptions): Promise<string> {
    const request = subscribeRequest(topic, handler, options, {
      defaults: this.#settings.defaults,
      meter: this.#meter,
      upcasters: this.#settings.upcasters,
      failures: this.#failures,
    });
    const subscription = await this.#eventManager.subscribe(request);
    const id = this.#held.has(subscription.id) ? `${subscription.id}#${++this.#members + 1}` : subscription.id;
    this.#held.set(id, subscription);
    this.#left.delete(id);
    this.#counts.added(id, topic, handler);
    this.receivers.added(id, subscription.definition, request.handler!);
    return id;
  }

  /**
   * Resolves when everything acknowledged is settled, also by other processes. Where a store is shared, a subscription is served a
   * moment after it was made, and by whoever has its lease: the engine here knows only what it serves itself.
   */
  async settled(): Promise<void> {
    let isQuiet = false;
    while (!isQuiet) {
      await this.#eventManager.settled();
      isQuiet = true;
      for (const id of new Set([...this.#held.values()].map((held) => held.id))) {
        if (await this.#isSettled(id)) continue;
        isQuiet = false;
        await new Promise<void>((resolve) => this.#timers.after(SETTLED_LOOK_MS, resolve, true));
      }
    }
  }

  async #isSettled(id: string): Promise<boolean> {
    try {
      const { state, status } = await this.#eventManager.getSubscription(id);
      return state !== 'active' || (status.lag === 0 && status.owed === 0);
    } catch (error) {
      // Somebody took it away meanwhile: nothing is owed to it.
      if (isEventManagerError(error, 'subscription_not_found')) return true;
      throw error;
    }
  }

  /**
   * One that was made by somebody else ends for all its members. Throws `subscription_not_found`, also of a handler that has left
   * its group already. What the store refuses can be asked for again.
   */
  async remove(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (!held) {
      if (!this.#left.has(id)) return this.#eventManager.unsubscribe(id);
      throw new EventManagerError('subscription_not_found', 'The handler has left this subscription before.', { id });
    }
    this.receivers.removed(id);
    this.#leaving.add(id);
    try {
      await held[Symbol.asyncDispose]();
      this.#held.delete(id);
    } finally {
      this.#leaving.delete(id);
    }
    this.#counts.removed(id);
    if (held.definition.name !== undefined && held.id === id) this.#left.add(id);
  }
}
