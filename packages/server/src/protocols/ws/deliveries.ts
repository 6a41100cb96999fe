import type { Clock, DeliverOptions, Delivery, Outcome } from '@event-manager/core';
import type { NackFrame } from './client-frame.ts';

/** How long an answer that comes after its time still frees the place that its attempt holds. */
const LATE_MS = 30_000;
const RELEASED: Outcome = { status: 'release' };
const TOO_LARGE = { code: 'frame_too_large', message: 'The client takes no frame so large.' };

/** What a subscription handed over in one call: answered when each delivery of it is. */
export class DeliveryGroup {
  /** The sink that it was handed to. */
  readonly owner: object;
  readonly #batch: readonly Delivery[];
  readonly #options: DeliverOptions;
  readonly #outcomes: Outcome[] = [];
  readonly #resolve: (outcomes: readonly Outcome[]) => void;
  #left: number;
  #next = 0;

  constructor(
    owner: object,
    batch: readonly Delivery[],
    options: DeliverOptions,
    resolve: (outcomes: readonly Outcome[]) => void,
  ) {
    this.owner = owner;
    this.#batch = batch;
    this.#options = options;
    this.#resolve = resolve;
    this.#left = batch.length;
  }

  get deadlineAtMs(): number {
    return this.#options.deadlineAtMs;
  }

  /** Every delivery was sent or given back. */
  get isHandedOver(): boolean {
    return this.#next >= this.#batch.length;
  }

  /** The delivery that is to be sent next. */
  get upcoming(): Delivery {
    return this.#batch[this.#next]!;
  }

  /** Counts the upcoming one as sent, and returns its index. */
  handOver(): number {
    return this.#next++;
  }

  bytesOf(index: number): number {
    return this.#batch[index]!.record.body.length;
  }

  /** Those that were not sent. */
  giveBack(outcome: Outcome): void {
    while (!this.isHandedOver) this.settle(this.handOver(), outcome);
  }

  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome;
    // What the client said of one delivery stands, whatever becomes of its neighbours and of the connection.
    if (--this.#left > 0) this.#options.settled?.(index, outcome);
    else this.#resolve(this.#outcomes);
  }
}

/**
 * The deliveries of one connection that wait for their answer, by number. A number is never used twice, so that an answer
 * that comes late, or twice, finds nothing.
 */
export class Deliveries {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, { readonly group: DeliveryGroup; readonly index: number }>();
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** The number of a delivery that is being sent. */
  add(group: DeliveryGroup, index: number): number {
    this.#last++;
    this.#waiting.set(this.#last, { group, index });
    return this.#last;
  }

  ack(numbers: readonly number[]): void {
    for (const number of numbers) this.#settle(number, { status: 'delivered' });
  }

  /** Nobody began to handle them. */
  release(numbers: readonly number[]): void {
    for (const number of numbers) this.#settle(number, RELEASED);
  }

  nack({ deliveries, retry = true, error = 'The client reported a failure.', afterMs, metadata }: NackFrame): void {
    const reason = { code: 'handler_error', message: error, ...(metadata ? { metadata } : {}) };
    const outcome: Outcome = retry
      ? { status: 'retry', error: reason, ...(afterMs === undefined ? {} : { afterMs }) }
      : { status: 'reject', error: reason };
    for (const number of deliveries) this.#settle(number, outcome);
  }

  /** A frame was too large for the client: most likely that of the largest one. Alone it will fit, or be a dead letter. */
  refuseLargest(): void {
    let largest: number | undefined;
    let bytesMax = -1;
    for (const [number, { group, index }] of this.#waiting) {
      const bytes = group.bytesOf(index);
      if (bytes > bytesMax) [largest, bytesMax] = [number, bytes];
    }
    if (largest !== undefined) this.#settle(largest, { status: 'retry', error: TOO_LARGE });
  }

  /** Gives back what was handed to a sink. */
  releaseOf(owner: object): void {
    for (const [number, { group }] of this.#waiting) if (group.owner === owner) this.#settle(number, RELEASED);
  }

  /** Forgets what nobody waits for any more: the engine has given such attempts up. */
  sweep(): void {
    const untilMs = this.#clock.monotonicMs() - LATE_MS;
    for (const [number, { group }] of this.#waiting) {
      if (group.deadlineAtMs < untilMs) this.#waiting.delete(number);
    }
  }

  /** Forgets what was handed to a sink, whose subscription is not served here any more. */
  forget(owner: object): void {
    for (const [number, { group }] of this.#waiting) if (group.owner === owner) this.#waiting.delete(number);
  }

  #settle(number: number, outcome: Outcome): void {
    const waiting = this.#waiting.get(number);
    if (!waiting) return;
    this.#waiting.delete(number);
    waiting.group.settle(waiting.index, outcome);
  }
}
