import type { Position } from '../../contracts/event-store.ts';

/** Finer than this nobody asks how long something has waited. */
const GRAIN_MS = 10;
/** Older times may be coarser: by one part in so many of their age. */
const SHARPNESS = 32;
const FIRST_TIDY = 1_024;

/**
 * About when the events of a partition were recorded: a few samples of (position, time) for all subscriptions, since both only
 * grow together. Queues hold positions alone, and to ask the store for the age of the first in each would be a read for each.
 *
 * Whoever offers events to queues notes them here, the newest ones and those that are read back. A time that is given is never
 * later than the true one; it is earlier by a grain, or by three hundredths of its age. A month takes some two thousand samples.
 */
export class RecordedTimes {
  readonly #positions: Position[] = [];
  readonly #timesMs: number[] = [];
  #lastPosition: Position = -1;
  #lastMs = Number.NEGATIVE_INFINITY;
  #tidyAt = FIRST_TIDY;

  /** Samples in memory. */
  get size(): number {
    return this.#positions.length;
  }

  note(position: Position, recordedAtMs: number): void {
    if (position > this.#lastPosition) {
      // Called for every event: most of them end here.
      if (recordedAtMs - this.#lastMs < GRAIN_MS) return;
      this.#lastPosition = position;
      this.#lastMs = recordedAtMs;
      this.#positions.push(position);
      this.#timesMs.push(recordedAtMs);
    } else if (!this.#insert(position, recordedAtMs)) return;
    if (this.size >= this.#tidyAt) this.#tidy();
  }

  /** When the event was recorded; `undefined` when nothing at or before it was noted. */
  timeOf(position: Position): number | undefined {
    return this.#timesMs[this.#countThrough(position) - 1];
  }

  #insert(position: Position, recordedAtMs: number): boolean {
    const at = this.#countThrough(position);
    const before = this.#timesMs[at - 1];
    if (before !== undefined && recordedAtMs - before < GRAIN_MS) return false;
    this.#positions.splice(at, 0, position);
    this.#timesMs.splice(at, 0, recordedAtMs);
    return true;
  }

  /** How many samples stand at or before `position`. */
  #countThrough(position: Position): number {
    let low = 0;
    let high = this.#positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positions[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops every sample between two that are near enough to each other for their age. */
  #tidy(): void {
    let kept = 1;
    for (let at = 1; at < this.size - 1; at++) {
      const nextMs = this.#timesMs[at + 1]!;
      const enoughMs = Math.max(GRAIN_MS, (this.#lastMs - nextMs) / SHARPNESS);
      if (nextMs - this.#timesMs[kept - 1]! <= enoughMs) continue;
      this.#positions[kept] = this.#positions[at]!;
      this.#timesMs[kept++] = this.#timesMs[at]!;
    }
    const last = this.size - 1;
    this.#positions[kept] = this.#positions[last]!;
    this.#timesMs[kept++] = this.#timesMs[last]!;
    this.#positions.length = kept;
    this.#timesMs.length = kept;
    this.#tidyAt = Math.max(FIRST_TIDY, 2 * kept);
  }
}
