import type { LatencySummary } from './event-metrics.ts';

/**
 * Upper bounds in milliseconds, 1-2-5: from what a handler of this process takes to what a retried delivery waits. The
 * figures that are promised (10, 100 and 500 ms) are bounds themselves, so that whether they hold needs no estimate.
 */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze([
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000,
]);

const BOUNDS = Float64Array.from(LATENCY_BOUNDS_MS);

/** Counts waits in fixed buckets. Observing allocates nothing: it happens for every event. */
export class LatencyHistogram {
  /** The last bucket takes what is above every bound. */
  readonly #counts = new Float64Array(BOUNDS.length + 1);
  #sumMs = 0;

  /** `times` events waited `waitMs`. A clock that was set back makes no negative wait. */
  observe(waitMs: number, times = 1): void {
    const wait = Math.max(waitMs, 0);
    let low = 0;
    let high = BOUNDS.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (BOUNDS[middle]! < wait) low = middle + 1;
      else high = middle;
    }
    this.#counts[low]! += times;
    this.#sumMs += wait * times;
  }

  summary(): LatencySummary {
    let count = 0;
    const buckets = LATENCY_BOUNDS_MS.map((le, at) => {
      count += this.#counts[at]!;
      return { le, count };
    });
    count += this.#counts[BOUNDS.length]!;
    const quantile = (share: number) => estimate(buckets, count, share);
    return { count, sum: this.#sumMs, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99), buckets };
  }
}

/** As `histogram_quantile` does it: evenly spread inside the bucket; above the last bound nothing better than it is known. */
function estimate(buckets: LatencySummary['buckets'], count: number, share: number): number {
  if (count === 0) return 0;
  const rank = share * count;
  let below = { le: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank) {
      return below.le + ((bucket.le - below.le) * (rank - below.count)) / (bucket.count - below.count);
    }
    below = bucket;
  }
  return below.le;
}
