import type { BodyBudget } from './body-budget.ts';

const CAPACITY_MIN = 4 * 1024;

/**
 * Puts chunks together in one piece of memory that doubles. Keeping the chunks themselves would be cheaper for a few large
 * ones, but each costs about a hundred bytes beside its content: four mebibytes sent one by one became gigabytes.
 */
export class ByteCollector {
  readonly #budget: BodyBudget;
  #memory: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  get length(): number {
    return this.#length;
  }

  /** Throws `overloaded` when there is no memory for it; what was collected before is still there. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const length = this.#length + chunk.length;
    if (this.#length === 0 && this.#memory.length === 0) {
      // Nearly every body is one chunk, which need not be copied.
      this.#budget.take(chunk.length);
      this.#memory = chunk;
    } else {
      if (length > this.#memory.length) this.#grow(length);
      this.#memory.set(chunk, this.#length);
    }
    this.#length = length;
  }

  /** What was collected, valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** Forgets what was collected and gives its memory back. */
  clear(): void {
    this.#budget.give(this.#memory.length);
    this.#memory = new Uint8Array(0);
    this.#length = 0;
  }

  #grow(length: number): void {
    const grown = Math.max(CAPACITY_MIN, length, this.#memory.length * 2);
    this.#budget.take(grown - this.#memory.length);
    const memory = Buffer.allocUnsafeSlow(grown);
    memory.set(this.bytes);
    this.#memory = memory;
  }
}
