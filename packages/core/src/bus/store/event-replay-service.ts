/**
 * Events out of a store once more, in the order in which they were kept: to a function, to the handlers of a bus, or into a list.
 * Whoever gets them sees by `context.replay` that they are not new. Nothing is published again, so nothing is stored, counted or
 * delivered to anybody else twice.
 *
 * This is the replay of a store. `eventManager.replay` is that of the log: durable, across processes, over webhooks and sockets.
 */

import type { Event } from '../../event/event.ts';
import { createEventIdSource } from '../../event/event-id.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import { type Runtime, systemRuntime } from '../../runtime/runtime.ts';
import type { DeliveryContext, HandlerAnswer } from '../../sink/handler-sink.ts';
import { type BusEvent, busEvent } from '../bus-event.ts';
import { assertEventStore } from './assert-event-store.ts';
import type { BusEventStore } from './bus-event-store.ts';
import { type EventSelection, type ReadEvent, readEvents } from './read-events.ts';
import { callReplayed, type ReplayHandler } from './replay-receivers.ts';
import { type Upcaster, Upcasters } from './upcasters.ts';

/** Failures that are described; all are counted. */
const FAILURES_MAX = 100;
/** Events of a replay into a list. */
const LISTED_MAX = 10_000;

/** A bus whose handlers events can be replayed to. */
export interface ReplayTarget {
  deliverReplayed(event: Event, replayId: string, signal: AbortSignal): Promise<readonly unknown[]>;
}

export interface ReplayProgress {
  readonly replayed: number;
  readonly failed: number;
  /** Everything up to it is replayed. */
  readonly position: number;
}

export interface StoreReplayRequest extends EventSelection {
  /** Gets the events, one after the other. */
  readonly handler?: ((event: BusEvent, context: DeliveryContext) => HandlerAnswer) | undefined;
  /** Its handlers get them. With neither the events are returned. */
  readonly bus?: ReplayTarget | undefined;
  /** Told after every page of events. */
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  /** Ends the replay behind the event that is under way. */
  readonly signal?: AbortSignal | undefined;
}

export interface StoreReplayReport extends ReplayProgress {
  /** What `context.replay.id` was. */
  readonly id: string;
  /** The first hundred. The others went on. */
  readonly failures: readonly { readonly eventId: string; readonly position: number; readonly error: unknown }[];
  /** Positions that the store has no more: it is bounded, or something was removed. */
  readonly missing: number;
  /** False when it was ended before the last event, by `signal` or because the list was full; go on by `after: position`. */
  readonly isComplete: boolean;
  /** Of a replay without handler and bus: at most 10,000. */
  readonly events: readonly BusEvent[];
}

export interface EventReplayOptions {
  /** Brings old events to the current version of their type. */
  readonly upcasters?: Upcasters | readonly Upcaster[] | undefined;
  readonly runtime?: Runtime | undefined;
}

const REQUEST = [
  'from',
  'to',
  'topic',
  'types',
  'after',
  'handler',
  'bus',
  'onProgress',
  'signal',
] satisfies (keyof StoreReplayRequest)[];

export class EventReplayService {
  readonly #store: BusEventStore;
  readonly #upcasters: Upcasters;
  readonly #nextId: () => string;

  constructor(store: BusEventStore, options: EventReplayOptions = {}) {
    assertEventStore(store, 'EventReplayService');
    refuseUnknownOptions(
      options,
      ['upcasters', 'runtime'] satisfies (keyof EventReplayOptions)[],
      'EventReplayService',
    );
    const { upcasters = [], runtime = systemRuntime } = options;
    this.#store = store;
    this.#upcasters = upcasters instanceof Upcasters ? upcasters : new Upcasters(upcasters);
    this.#nextId = createEventIdSource(runtime);
  }

  /** Throws `invalid_pattern`, `invalid_query`, `upcast_failed`, and what the store throws; what a handler throws is in the report. */
  async replayEvents(request: StoreReplayRequest = {}): Promise<StoreReplayReport> {
    refuseUnknownOptions(request, REQUEST, 'replayEvents');
    const run = new StoreReplay(this.#nextId(), request);
    for await (const { events, missing } of readEvents(this.#store, request, this.#upcasters)) {
      if (!(await run.page(events, missing))) break;
    }
    return run.report();
  }
}

/** One replay under way. */
class StoreReplay {
  readonly #id: string;
  readonly #request: StoreReplayRequest;
  readonly #signal: AbortSignal;
  readonly #failures: StoreReplayReport['failures'][number][] = [];
  readonly #listed: BusEvent[] = [];
  #replayed = 0;
  #failed = 0;
  #missing = 0;
  #position: number;
  #isComplete = true;

  constructor(id: string, request: StoreReplayRequest) {
    this.#id = id;
    this.#request = request;
    this.#signal = request.signal ?? new AbortController().signal;
    this.#position = request.after ?? 0;
  }

  /** False when the replay is over. */
  async page(events: readonly ReadEvent[], missing: number): Promise<boolean> {
    this.#missing += missing;
    if (this.#signal.aborted) this.#isComplete = false;
    if (!this.#isComplete) return false;
    for (const { event, position } of events) {
      if (this.#signal.aborted || this.#listed.length >= LISTED_MAX) {
        this.#isComplete = false;
        return false;
      }
      const errors = await this.#deliver(event);
      this.#position = position;
      if (errors.length === 0) this.#replayed++;
      else this.#failed++;
      for (const error of errors) {
        if (this.#failures.length < FAILURES_MAX) this.#failures.push({ eventId: event.id, position, error });
      }
    }
    if (events.length > 0) this.#request.onProgress?.(this.#progress());
    return true;
  }

  report(): StoreReplayReport {
    return {
      id: this.#id,
      ...this.#progress(),
      failures: this.#failures,
      missing: this.#missing,
      isComplete: this.#isComplete,
      events: this.#listed,
    };
  }

  async #deliver(event: Event): Promise<readonly unknown[]> {
    const { handler, bus } = this.#request;
    if (!handler && !bus) this.#listed.push(busEvent(event));
    const errors = bus ? await bus.deliverReplayed(event, this.#id, this.#signal) : [];
    if (!handler) return errors;
    const call: ReplayHandler = (replayed, context) => handler(busEvent(replayed), context);
    const options = { subscriptionId: `replay:${this.#id}`, replayId: this.#id, signal: this.#signal };
    const error = await callReplayed(call, event, options);
    return error === undefined ? errors : [...errors, error];
  }

  #progress(): ReplayProgress {
    return { replayed: this.#replayed, failed: this.#failed, position: this.#position };
  }
}
