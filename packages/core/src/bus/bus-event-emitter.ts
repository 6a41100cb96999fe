/**
 * An emitter of Node that is also on a bus: what code that was written for an `EventEmitter` is given in its place, so that its
 * listeners move to the bus one by one.
 *
 *     emitEvent ──▶ listeners here, at once, as before ──▶ the bus, for subscribers anywhere
 *     published by others ──▶ the bus ──▶ listeners of onEvent here
 *
 * All types come over one subscription, whatever their number: a subscription for each would be asked about every event.
 *
 * Each listener gets an event once: what was emitted here comes back from the bus like everything else, and says among its metadata
 * which emitter its listeners heard it from. So nothing has to be remembered, however much is under way; what is replayed is heard
 * again. Listeners are called as an emitter calls them, so an event from the bus that a listener throws at is not delivered again.
 */
import { EventEmitter } from 'node:events';
import { emitWarning } from 'node:process';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import { wordsOf } from '../errors/words-of.ts';
import { createEventIdSource } from '../event/event-id.ts';
import { BUS_WARNING } from '../listener-limit.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';
import { systemRuntime } from '../runtime/runtime.ts';
import type { EventTypeOf } from '../typed/event-map.ts';
import type { AnyBusEvents } from './bus-event.ts';
import type { EventBus } from './event-bus.ts';
import type { BusEventIn } from './publish-arguments.ts';

export interface BusEventEmitterOptions {
  /** Told of each event that the bus did not take. Default: a warning of the process, once for each code. */
  readonly onPublishError?: ((error: unknown, type: string) => void) | undefined;
}

// Inherits, because code asks `instanceof EventEmitter`, and because every method of it is then Node's own.
export class BusEventEmitter<Events = AnyBusEvents> extends EventEmitter {
  readonly bus: EventBus<Events>;
  readonly #onPublishError: (error: unknown, type: string) => void;
  /** `metadata.emitter` of what was emitted here. */
  readonly #mark = createEventIdSource(systemRuntime)();
  /** Those of `onEvent`. */
  readonly #types = new Set<string>();
  #subscription: Promise<string> | undefined;
  readonly #publishing = new Set<Promise<void>>();

  constructor(bus: EventBus<Events>, options: BusEventEmitterOptions = {}) {
    super();
    refuseUnknownOptions(options, ['onPublishError'] satisfies (keyof BusEventEmitterOptions)[], 'BusEventEmitter');
    const { onPublishError = warnOnce() } = options;
    if (typeof bus?.publish !== 'function') throw new TypeError('A BusEventEmitter is made of an EventBus.');
    this.bus = bus;
    this.#onPublishError = (error, type) => {
      try {
        onPublishError(error, type);
      } catch (another) {
        // Nobody waits for this: it would end the process.
        emitWarning(`onPublishError threw: ${wordsOf(another)}`, BUS_WARNING);
      }
    };
  }

  /**
   * Emits to the listeners here and publishes. True when there are listeners here. What they throw is thrown, as by `emit`; what
   * the bus refuses is told to `onPublishError`, since nobody waits here.
   */
  emitEvent<Type extends EventTypeOf<Events>>(type: Type, payload: Events[Type]): boolean {
    const event = { type, payload, metadata: { emitter: this.#mark } };
    const publishing: Promise<void> = this.#publish(event).finally(() => this.#publishing.delete(publishing));
    this.#publishing.add(publishing);
    return this.emit(type, payload);
  }

  /** Listens to events of a type that are emitted here or published by anybody. */
  onEvent<Type extends EventTypeOf<Events>>(type: Type, listener: (payload: Events[Type]) => void): this {
    this.#types.add(type);
    this.#subscription ??= this.#subscribe(type);
    return this.on(type, listener);
  }

  offEvent<Type extends EventTypeOf<Events>>(type: Type, listener: (payload: Events[Type]) => void): this {
    this.off(type, listener);
    if (this.listenerCount(type) > 0) return this;
    this.#types.delete(type);
    const subscription = this.#subscription;
    if (this.#types.size > 0 || !subscription) return this;
    this.#subscription = undefined;
    const leaving = subscription.then((id) => this.bus.unsubscribe(id));
    leaving.catch((error: unknown) => this.#onPublishError(error, type));
    return this;
  }

  /** Resolves when listeners hear the bus, and everything emitted so far is on it or was refused. */
  async flush(): Promise<void> {
    await this.#subscription;
    await Promise.all(this.#publishing);
  }

  async #publish(event: BusEventIn): Promise<void> {
    try {
      await (this.bus as unknown as EventBus).publish(event);
    } catch (error) {
      this.#onPublishError(error, event.type);
    }
  }

  #subscribe(wantedBy: string): Promise<string> {
    const subscribed: Promise<string> = (this.bus as unknown as EventBus).subscribe(
      '#',
      ({ type, payload, metadata }, { replay }) => {
        // One that is about to leave has a successor where somebody listens anew.
        if (this.#subscription !== subscribed || !this.#types.has(type)) return;
        if (replay || metadata['emitter'] !== this.#mark) this.emit(type, payload);
      },
      { maxRetries: 0 },
    );
    subscribed.catch((error: unknown) => {
      // The next listener tries again.
      if (this.#subscription === subscribed) this.#subscription = undefined;
      this.#onPublishError(error, wantedBy);
    });
    return subscribed;
  }
}

/** A bus that refuses one event most often refuses the next ones, too. */
function warnOnce(): (error: unknown, type: string) => void {
  const told = new Set<string>();
  return (error, type) => {
    const code = isEventManagerError(error) ? error.code : 'internal';
    if (told.has(code)) return;
    told.add(code);
    const words = `The bus did not take "${type}": ${String(error)} Further events with ${code} are not told here; onPublishError hears of each.`;
    emitWarning(words, BUS_WARNING);
  };
}
