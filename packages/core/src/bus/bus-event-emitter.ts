/**
 * An emitter of Node that is also on a bus: what code that was written for an `EventEmitter` is given in its place, so that its
 * listeners move to the bus one by one.
 *
 *     emitEvent ──▶ listeners here, at once, as before ──▶ the bus, for subscribers anywhere
 *     published by others ──▶ the bus ──▶ listeners of onEvent here
 *
 * Each listener gets an event once: what was emitted here comes back from the bus like everything else, and is known by its id.
 * Listeners are called as an emitter calls them, so an event from the bus that a listener throws at is not delivered again.
 */
import { EventEmitter } from 'node:events';
import { emitWarning } from 'node:process';
import { createEventIdSource } from '../event/event-id.ts';
import { BUS_WARNING } from '../listener-limit.ts';
import { systemRuntime } from '../runtime/runtime.ts';
import type { EventTypeOf } from '../typed/event-map.ts';
import type { AnyBusEvents } from './bus-event.ts';
import type { EventBus } from './event-bus.ts';
import type { BusEventIn } from './publish-arguments.ts';

export interface BusEventEmitterOptions {
  /** Told of events that the bus did not take. Default: a warning of the process. */
  readonly onPublishError?: ((error: unknown, type: string) => void) | undefined;
}

const OWN_MAX = 10_000;

// Inherits, because code asks `instanceof EventEmitter`, and because every method of it is then Node's own.
export class BusEventEmitter<Events = AnyBusEvents> extends EventEmitter {
  readonly bus: EventBus<Events>;
  readonly #onPublishError: (error: unknown, type: string) => void;
  readonly #nextId = createEventIdSource(systemRuntime);
  /** Emitted here, of types that are listened to here, and not back from the bus yet. */
  readonly #own = new Set<string>();
  readonly #subscriptions = new Map<string, Promise<string>>();
  readonly #publishing = new Set<Promise<void>>();

  constructor(bus: EventBus<Events>, { onPublishError = warn }: BusEventEmitterOptions = {}) {
    super();
    this.bus = bus;
    this.#onPublishError = onPublishError;
  }

  /**
   * Emits to the listeners here and publishes. True when there are listeners here. What they throw is thrown, as by `emit`; what
   * the bus refuses is told to `onPublishError`, since nobody waits here.
   */
  emitEvent<Type extends EventTypeOf<Events>>(type: Type, payload: Events[Type]): boolean {
    const id = this.#nextId();
    if (this.#subscriptions.has(type)) this.#own.add(id);
    // What was emitted before its subscription was there does not come back.
    if (this.#own.size > OWN_MAX) this.#own.delete(this.#own.values().next().value!);
    const publishing: Promise<void> = this.#publish({ id, type, payload }).finally(() =>
      this.#publishing.delete(publishing),
    );
    this.#publishing.add(publishing);
    return this.emit(type, payload);
  }

  /** Listens to events of a type that are emitted here or published by anybody. */
  onEvent<Type extends EventTypeOf<Events>>(type: Type, listener: (payload: Events[Type]) => void): this {
    if (!this.#subscriptions.has(type)) this.#subscriptions.set(type, this.#subscribe(type));
    return this.on(type, listener);
  }

  offEvent<Type extends EventTypeOf<Events>>(type: Type, listener: (payload: Events[Type]) => void): this {
    this.off(type, listener);
    const subscription = this.#subscriptions.get(type);
    if (this.listenerCount(type) > 0 || !subscription) return this;
    this.#subscriptions.delete(type);
    const leaving = subscription.then((id) => this.bus.unsubscribe(id));
    leaving.catch((error: unknown) => this.#onPublishError(error, type));
    return this;
  }

  /** Resolves when listeners hear the bus, and everything emitted so far is on it or was refused. */
  async flush(): Promise<void> {
    await Promise.all(this.#subscriptions.values());
    await Promise.all(this.#publishing);
  }

  async #publish(event: BusEventIn & { readonly id: string }): Promise<void> {
    try {
      const result = await (this.bus as unknown as EventBus).publish(event);
      if ('filtered' in result) this.#own.delete(event.id);
    } catch (error) {
      this.#own.delete(event.id);
      this.#onPublishError(error, event.type);
    }
  }

  #subscribe(type: string): Promise<string> {
    const subscribed = (this.bus as unknown as EventBus).subscribe(
      '#',
      ({ id, payload }) => {
        if (!this.#own.delete(id)) this.emit(type, payload);
      },
      { filter: { types: [type] }, maxRetries: 0 },
    );
    subscribed.catch((error: unknown) => this.#onPublishError(error, type));
    return subscribed;
  }
}

function warn(error: unknown, type: string): void {
  emitWarning(`The bus did not take "${type}": ${String(error)}`, BUS_WARNING);
}
