/**
 * The way in: normalise, validate, append, acknowledge. Everything a caller hands in during one turn of the event loop goes to the
 * store in one call; the store forms its own groups from those. After the append the events are routed, then the callers
 * hear: nothing between the two can fail, and an event that was appended is found by the route in any case.
 *
 * On a store without durability `publish` resolves only after the first attempt of every in-process handler, so that a
 * test can look right after the await. A publish from inside a handler does not wait: it might wait for itself.
 */
import type { Appendable, EventStore } from '../contracts/event-store.ts';
import type { Route } from '../dispatch/route.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { createEventIdSource } from '../event/event-id.ts';
import type { Limits } from '../limits.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { isInsideHandler } from '../sink/handler-calls.ts';
import { Acknowledge, type Waiting } from './acknowledge.ts';
import { BatchAnswers } from './batch-answers.ts';
import { normalize } from './normalize.ts';
import type { PublishResult } from './publish-result.ts';
import type { Validate } from './validate.ts';

const OVERLOADED_RETRY_AFTER_MS = 1000;
/** A large batch is normalised in slices: nobody else should wait for the whole of it. */
const BATCH_SLICE_MS = 10;

/** One entry per event of the batch, in order: the good ones are stored, each bad one has its own error. */
export type BatchResult = PublishResult | EventManagerError;

export interface PublishOptions {
  /** True when core's `parseJson` made the input. */
  readonly trusted?: boolean;
  /** Extra flag bits of the stored record; for the bus's own events. */
  readonly flags?: number;
  /** Other limits than those of the engine; for the bus's own events. */
  readonly limits?: Limits;
  /** Called when all of a batch was handed in, which may take several turns: what is published from then on comes behind it. */
  readonly onHandedIn?: () => void;
}

const PLAIN: PublishOptions = Object.freeze({});

export class Ingest {
  readonly #store: EventStore;
  readonly #acknowledge: Acknowledge;
  readonly #validate: Validate;
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #meter: Meter;
  readonly #nextId: () => string;
  readonly #awaitsAttempts: boolean;
  readonly #schedule: Schedule;
  #waiting: Waiting[] = [];
  /** Groups that the store has not answered yet. */
  readonly #appending = new Set<Promise<void>>();
  #nowMs = 0;
  #waitingSinceMs = 0;
  #unacknowledged = 0;
  #unacknowledgedBytes = 0;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(options: {
    store: EventStore;
    route: Route;
    validate: Validate;
    runtime: Runtime;
    limits: Limits;
    meter: Meter;
    awaitsAttempts: boolean;
    schedule: Schedule;
  }) {
    this.#store = options.store;
    this.#acknowledge = new Acknowledge({
      route: options.route,
      timers: options.runtime.timers,
      clock: options.runtime.clock,
      meter: options.meter,
      isAtOnce: options.awaitsAttempts,
      onAnswered: (group) => this.answered(group),
    });
    this.#validate = options.validate;
    this.#runtime = options.runtime;
    this.#limits = options.limits;
    this.#meter = options.meter;
    this.#awaitsAttempts = options.awaitsAttempts;
    this.#schedule = options.schedule;
    this.#nextId = createEventIdSource(options.runtime);
  }

  /** Events that were handed in and are not acknowledged yet. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Throws what `normalize` throws, `overloaded`, `id_conflict`, `closed` and what the store throws. */
  publish(principal: Principal, input: unknown, options: PublishOptions = PLAIN): Promise<PublishResult> {
    const { promise, resolve, reject } = Promise.withResolvers<PublishResult>();
    try {
      this.#assertRoom(1);
      const event = this.#normalize(principal, input, '', options);
      const waiting = { event, pointer: '', awaitsAttempts: this.#mayAwait(), resolve, reject, at: 0 };
      this.#admit(principal, input, options, waiting);
    } catch (error) {
      reject(this.#meter.refused(error));
    }
    return promise;
  }

  /** Stores the good events and answers for each one. Throws only when nothing was stored: `batch_too_large`, `overloaded`. */
  async publishBatch(
    principal: Principal,
    inputs: readonly unknown[],
    options: PublishOptions = {},
  ): Promise<readonly BatchResult[]> {
    this.#assertBatch(inputs);
    const answers = new BatchAnswers(inputs.length);
    const { resolve, reject } = answers;
    const awaitsAttempts = this.#mayAwait();
    const { clock, timers } = this.#runtime;
    let sliceStartMs = clock.monotonicMs();
    for (let at = 0; at < inputs.length; at++) {
      // A caller's own objects may change while it waits; what the parser made is held by nobody else.
      if (options.trusted === true && at > 0 && clock.monotonicMs() - sliceStartMs > BATCH_SLICE_MS) {
        await new Promise<void>((next) => timers.soon(next));
        sliceStartMs = clock.monotonicMs();
      }
      const pointer = `/${at}`;
      try {
        if (this.#closed) throw new EventManagerError('closed', 'The event manager is closed.');
        const event = this.#normalize(principal, inputs[at], pointer, options);
        this.#admit(principal, inputs[at], options, { event, pointer, awaitsAttempts, resolve, reject, at });
      } catch (error) {
        reject(this.#meter.refused(error), at);
      }
    }
    options.onHandedIn?.();
    return answers.all;
  }

  /** Stores an event that was accepted before, as it is. Throws what the store throws, `id_conflict`, `overloaded`, `closed`. */
  append(event: Appendable): Promise<PublishResult> {
    return new Promise((resolve, reject) => {
      this.#assertRoom(1);
      this.#assertBytes(event.body.length);
      this.#unacknowledged++;
      this.#unacknowledgedBytes += event.body.length;
      this.passOn({ event, pointer: '', awaitsAttempts: false, resolve, reject, at: 0 });
    });
  }

  /** Resolves when everything that was handed in before, and was judged at once, is stored or refused. */
  async stored(): Promise<void> {
    // What was handed in during this turn goes to the store before anything that is asked for later.
    await Promise.resolve();
    await Promise.all(this.#appending);
  }

  /** Refuses new events and resolves when everything handed in was answered. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#unacknowledged === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  #normalize(principal: Principal, input: unknown, pointer: string, options: PublishOptions): Appendable {
    const { trusted = false, flags = 0, limits = this.#limits } = options;
    // Events of one turn share the time: reading the clock is a system call.
    if (this.#waiting.length === 0) this.#nowMs = this.#runtime.clock.wallMs();
    const nowMs = this.#nowMs;
    const event = normalize(input, { principal, limits, nextId: this.#nextId, nowMs, pointer, trusted });
    return flags === 0 ? event : { ...event, flags: event.flags | flags };
  }

  #mayAwait(): boolean {
    return this.#awaitsAttempts && !isInsideHandler();
  }

  #assertBatch(inputs: readonly unknown[]): void {
    // A single event in its place has no length: its batch would never be complete.
    if (!Array.isArray(inputs)) throw this.#meter.refused(expectedList());
    const count = inputs.length;
    try {
      const limit = this.#limits.batchEventsMax;
      const words = `A batch holds at most ${limit} events.`;
      if (count > limit) throw new EventManagerError('batch_too_large', words, { limit });
      this.#assertRoom(count);
    } catch (error) {
      throw this.#meter.refused(error, count);
    }
  }

  #assertRoom(count: number): void {
    if (this.#closed) throw new EventManagerError('closed', 'The event manager is closed.');
    if (this.#unacknowledged + count > this.#limits.publishWaitingMax && this.#unacknowledged > 0) {
      throw new EventManagerError('overloaded', `${this.#unacknowledged} events wait for the store.`, {
        retryAfterMs: OVERLOADED_RETRY_AFTER_MS,
        limit: this.#limits.publishWaitingMax,
      });
    }
  }

  /** Hands an event on to the store when its topic has nothing against it; nearly always that is known at once. */
  #admit(principal: Principal, input: unknown, { trusted = false }: PublishOptions, waiting: Waiting): void {
    const { event, pointer } = waiting;
    this.#assertBytes(event.body.length);
    // Nothing may be thrown behind this: a verdict that nobody waits for would end the process.
    const judged = this.#validate.run({ principal, event, input, trusted, pointer });
    this.#unacknowledged++;
    this.#unacknowledgedBytes += event.body.length;
    if (!judged) {
      this.#enqueue(waiting);
      return;
    }
    const refuse = (error: unknown) => {
      waiting.reject(this.#meter.refused(error), waiting.at);
      this.answered([waiting]);
    };
    judged.then(() => this.#enqueue(waiting), refuse);
  }

  #enqueue(waiting: Waiting): void {
    if (this.#schedule.concerns(waiting.event)) this.#schedule.take(waiting);
    else this.passOn(waiting);
  }

  /** Hands an event to the store that is not for later. */
  passOn(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#waiting.length > 1) return;
    this.#waitingSinceMs = this.#runtime.clock.monotonicMs();
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    const group = this.#waiting;
    const sinceMs = this.#waitingSinceMs;
    this.#waiting = [];
    this.#runtime.failpoint('ingest.before-append');
    const appending = this.#store.append(group.map((waiting) => waiting.event)).then(
      (results) => {
        this.#appending.delete(appending);
        this.#runtime.failpoint('ingest.after-append');
        this.#acknowledge.take(group, results, sinceMs);
      },
      (error: unknown) => {
        this.#appending.delete(appending);
        this.#meter.refused(error, group.length);
        for (const waiting of group) waiting.reject(error, waiting.at);
        this.answered(group);
      },
    );
    this.#appending.add(appending);
  };

  /** Whoever handed them in knows what became of them. */
  answered(group: readonly Waiting[]): void {
    this.#unacknowledged -= group.length;
    for (const { event } of group) this.#unacknowledgedBytes -= event.body.length;
    if (this.#unacknowledged === 0) this.#drained?.();
  }

  /** One event always has room, however large it is allowed to be. */
  #assertBytes(bytes: number): void {
    const limit = this.#limits.publishWaitingBytesMax;
    if (this.#unacknowledgedBytes + bytes <= limit || this.#unacknowledged === 0) return;
    const words = `${this.#unacknowledgedBytes} bytes of events wait for the store.`;
    throw new EventManagerError('overloaded', words, { retryAfterMs: OVERLOADED_RETRY_AFTER_MS, limit });
  }
}

function expectedList(): EventManagerError {
  return new EventManagerError('invalid_event', 'A list of events is expected.', { pointer: '' });
}
