import { LANES, type Lane } from '../../event/priority.ts';

/** How long the first attempts of one subscription were waited for, by lane: a few additions for each. */
export class Waits {
  readonly #counts = new Float64Array(LANES.length);
  readonly #sumsMs = new Float64Array(LANES.length);
  readonly #longestMs = new Float64Array(LANES.length);

  begun(lane: Lane, waitMs: number): void {
    this.#counts[lane]!++;
    this.#sumsMs[lane]! += waitMs;
    if (waitMs > this.#longestMs[lane]!) this.#longestMs[lane] = waitMs;
  }

  count(lane: Lane): number {
    return this.#counts[lane]!;
  }

  meanMs(lane: Lane): number {
    const count = this.#counts[lane]!;
    return count === 0 ? 0 : this.#sumsMs[lane]! / count;
  }

  longestMs(lane: Lane): number {
    return this.#longestMs[lane]!;
  }
}
