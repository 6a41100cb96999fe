import type { Runtime } from '../runtime/runtime.ts';

/** Time before the loop lets input and timers run, and deliveries at the most, for a clock that stands still. */
const RUN_MS = 10;
const RUN_MAX = 20_000;
/** Deliveries of a turn before anybody looks at the clock. */
const FREE_OF_CHARGE = 256;

/**
 * How much of this turn of the event loop is left for deliveries. What handlers publish wakes the dispatcher again in the same
 * turn, so the bound holds for the turn, not for one run. It is one of time: a bound of 1,024 deliveries let publishers run
 * ahead of a thousand subscriptions until the bodies had to be read back from disk.
 */
export class Turn {
  /** Deliveries before the loop yields. */
  left = RUN_MAX;
  readonly #runtime: Runtime;
  #isRenewing = false;
  #endsAtMs = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  isOver(): boolean {
    if (this.left <= 0) return true;
    this.#renew();
    return this.#isRenewing && this.#runtime.clock.monotonicMs() >= this.#endsAtMs;
  }

  #renew(): void {
    if (this.#isRenewing || this.left > RUN_MAX - FREE_OF_CHARGE) return;
    this.#isRenewing = true;
    this.#endsAtMs = this.#runtime.clock.monotonicMs() + RUN_MS;
    this.#runtime.timers.soon(() => {
      this.#isRenewing = false;
      this.left = RUN_MAX;
    });
  }
}
