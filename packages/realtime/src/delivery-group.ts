import type { DeliverOptions, Delivery, Outcome } from '@event-manager/core';

/** What the engine handed over in one call: answered when each delivery of it is. */
export class DeliveryGroup {
  readonly batch: readonly Delivery[];
  readonly #options: DeliverOptions;
  readonly #outcomes: Outcome[] = [];
  readonly #resolve: (outcomes: readonly Outcome[]) => void;
  #left: number;
  /** The first one that was not sent. */
  next = 0;

  constructor(batch: readonly Delivery[], options: DeliverOptions, resolve: (outcomes: readonly Outcome[]) => void) {
    this.batch = batch;
    this.#options = options;
    this.#resolve = resolve;
    this.#left = batch.length;
  }

  /** When the engine gives it up. */
  get deadlineAtMs(): number {
    return this.#options.deadlineAtMs;
  }

  get isSent(): boolean {
    return this.next >= this.batch.length;
  }

  /** Those that were not sent. Returns how many. */
  giveBack(): number {
    const from = this.next;
    while (!this.isSent) this.settle(this.next++, { status: 'release' });
    return this.next - from;
  }

  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome;
    // What the receiver said of one delivery stands, whatever becomes of its neighbours and of the connection.
    if (--this.#left > 0) this.#options.settled?.(index, outcome);
    else this.#resolve(this.#outcomes);
  }
}
