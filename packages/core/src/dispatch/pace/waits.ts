import type { Lane } from '../../event/priority.ts';

const COUNT = 0;
const SUM = 4;
const LONGEST = 8;

/** How long the first attempts of one subscription were waited for, by lane: a few additions for each. */
export class Waits {
  /** Counts, sums and the longest, of four lanes each: one array, since there may be a hundred thousand subscriptions. */
  readonly #values = new Float64Array(12);

  begun(lane: Lane, waitMs: number): void {
    this.#values[COUNT + lane]!++;
    this.#values[SUM + lane]! += waitMs;
    if (waitMs > this.#values[LONGEST + lane]!) this.#values[LONGEST + lane] = waitMs;
  }

  count(lane: Lane): number {
    return this.#values[COUNT + lane]!;
  }

  meanMs(lane: Lane): number {
    const count = this.count(lane);
    return count === 0 ? 0 : this.#values[SUM + lane]! / count;
  }

  longestMs(lane: Lane): number {
    return this.#values[LONGEST + lane]!;
  }
}
