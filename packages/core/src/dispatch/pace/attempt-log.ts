import type { JsonValue } from '../../json.ts';

/** Entries are no finer than this, so the log of any rate holds at most so many as fit into the window. */
const GRAIN_MS = 50;
const FIRST_CAPACITY = 16;

/**
 * How many attempts were made in the last `windowMs`: a ring of (time, count). Attempts within one grain share an entry, which
 * has the time of the latest of them, so what the log forgets is never younger than the window: it may count an attempt a
 * grain too long, and none too short. At most `windowMs / GRAIN_MS` entries, whatever the rate.
 *
 * Times are those of the monotonic clock. The record of the log holds ages instead, and the time between two processes counts
 * as none: no clock that goes on between them can be trusted not to have been set.
 */
export class AttemptLog {
  /** Attempts in the window. */
  count = 0;
  readonly #windowMs: number;
  #atMs = new Float64Array(FIRST_CAPACITY);
  #counts = new Float64Array(FIRST_CAPACITY);
  #mask = FIRST_CAPACITY - 1;
  // Absolute numbers of entries; `number & mask` is the index in the ring.
  #start = 0;
  #end = 0;
  /** When the latest entry was begun: it takes what comes within a grain of that. */
  #begunAtMs = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** `count` attempts begin at `nowMs`, which is not before the last time given. */
  add(count: number, nowMs: number): void {
    this.count += count;
    const latest = (this.#end - 1) & this.#mask;
    if (this.#end > this.#start && nowMs - this.#begunAtMs < GRAIN_MS) {
      this.#atMs[latest] = nowMs;
      this.#counts[latest]! += count;
      return;
    }
    if (this.#end - this.#start > this.#mask) this.#grow();
    const index = this.#end++ & this.#mask;
    this.#atMs[index] = nowMs;
    this.#counts[index] = count;
    this.#begunAtMs = nowMs;
  }

  /** Forgets what left the window by `nowMs`. */
  forget(nowMs: number): void {
    while (this.#start < this.#end) {
      const index = this.#start & this.#mask;
      if (this.#atMs[index]! + this.#windowMs > nowMs) return;
      this.count -= this.#counts[index]!;
      this.#start++;
    }
  }

  /** When the oldest attempts leave the window; `Infinity` when there are none. */
  get nextAtMs(): number {
    if (this.#start === this.#end) return Number.POSITIVE_INFINITY;
    return this.#atMs[this.#start & this.#mask]! + this.#windowMs;
  }

  /** Pairs of age in milliseconds and count, oldest first. */
  toJson(nowMs: number): JsonValue {
    this.forget(nowMs);
    const pairs: [number, number][] = [];
    for (let entry = this.#start; entry < this.#end; entry++) {
      const index = entry & this.#mask;
      pairs.push([Math.floor(nowMs - this.#atMs[index]!), this.#counts[index]!]);
    }
    return pairs;
  }

  static fromJson(windowMs: number, value: JsonValue, nowMs: number): AttemptLog {
    const log = new AttemptLog(windowMs);
    for (const [ageMs, count] of value as [number, number][]) log.add(count, nowMs - ageMs);
    return log;
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const atMs = new Float64Array(capacity);
    const counts = new Float64Array(capacity);
    for (let entry = this.#start; entry < this.#end; entry++) {
      atMs[entry & (capacity - 1)] = this.#atMs[entry & this.#mask]!;
      counts[entry & (capacity - 1)] = this.#counts[entry & this.#mask]!;
    }
    this.#atMs = atMs;
    this.#counts = counts;
    this.#mask = capacity - 1;
  }
}
