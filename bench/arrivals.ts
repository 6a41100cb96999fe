import { percentiles } from './statistics.ts';

const ARRIVAL_MS_MAX = 10_000;

/** When each event of a schedule reached one receiver for the first time. */
export class Arrivals {
  readonly #dueEveryMs: number;
  readonly #afterMs: Float32Array;
  readonly #all = Promise.withResolvers<void>();
  #startedMs = 0;
  #arrived = 0;

  constructor(count: number, perSecond: number) {
    this.#dueEveryMs = 1_000 / perSecond;
    this.#afterMs = new Float32Array(count).fill(Number.NaN);
  }

  get missing(): number {
    return this.#afterMs.length - this.#arrived;
  }

  start(startedMs: number): void {
    this.#startedMs = startedMs;
  }

  arrived(index: number): void {
    if (!Number.isNaN(this.#afterMs[index])) return;
    this.#afterMs[index] = performance.now() - this.#startedMs - index * this.#dueEveryMs;
    if (++this.#arrived === this.#afterMs.length) this.#all.resolve();
  }

  /** Waits for what is still on its way, but not for ever. */
  async settled(): Promise<void> {
    await Promise.race([this.#all.promise, new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS_MAX))]);
  }

  /** Of the events from number `from` on, in milliseconds; one that is missing counts with the time it was waited for. */
  latencies(from: number): { p50: number; p99: number; p999: number; max: number } {
    const endMs = performance.now() - this.#startedMs;
    const afterMs = this.#afterMs
      .subarray(from)
      .map((ms, offset) => (Number.isNaN(ms) ? endMs - (from + offset) * this.#dueEveryMs : ms));
    const [p50, p99, p999, max] = percentiles(afterMs, 0.5, 0.99, 0.999, 1);
    return { p50: p50!, p99: p99!, p999: p999!, max: max! };
  }
}
