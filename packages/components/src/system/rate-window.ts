import type { Clock } from '@event-manager/core';

const SLOT_MS = 100;
/** Those of a second, and the one that has begun. */
const SLOTS = 11;

/** Counts events in slots, so that no second, wherever it begins, has more than the limit. */
export class RateWindow {
  readonly #clock: Clock;
  readonly #counts = new Uint32Array(SLOTS);
  #slot = 0;
  #inWindow = 0;
  #limit = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0: no limit. */
  limitTo(limit: number): void {
    this.#limit = limit;
  }

  /** What was taken in the last second, and up to a tenth more. */
  get inLastSecond(): number {
    this.#pass();
    return this.#inWindow;
  }

  takes(): boolean {
    this.#pass();
    if (this.#limit > 0 && this.#inWindow >= this.#limit) return false;
    this.#counts[this.#slot % SLOTS]!++;
    this.#inWindow++;
    return true;
  }

  #pass(): void {
    const slot = Math.floor(this.#clock.monotonicMs() / SLOT_MS);
    if (slot - this.#slot >= SLOTS) {
      this.#counts.fill(0);
      this.#inWindow = 0;
      this.#slot = slot;
    }
    while (this.#slot < slot) {
      this.#slot++;
      this.#inWindow -= this.#counts[this.#slot % SLOTS]!;
      this.#counts[this.#slot % SLOTS] = 0;
    }
  }
}
