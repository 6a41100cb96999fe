import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LATENCY_BOUNDS_MS, LatencyHistogram } from '../../src/metrics/latency-histogram.ts';

function observed(...waitsMs: number[]) {
  const histogram = new LatencyHistogram();
  for (const waitMs of waitsMs) histogram.observe(waitMs);
  return histogram.summary();
}

it('counts each wait in every bucket whose bound it does not exceed, as Prometheus has it', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -5, max: 1e7, noNaN: true })), (waits) => {
      const { buckets, count, sum } = observed(...waits);
      expect(count).toBe(waits.length);
      for (const { le, count: upTo } of buckets) expect(upTo).toBe(waits.filter((wait) => wait <= le).length);
      expect(sum).toBeCloseTo(
        waits.reduce((total, wait) => total + Math.max(wait, 0), 0),
        3,
      );
    }),
  );
});

it('estimates quantiles inside the bucket that holds them', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => at + 0.5);
  const { p50, p95, p99 } = observed(...hundred);
  expect([p50, p95, p99].map(Math.round)).toEqual([50, 95, 99]);
});

it('says nothing better than its last bound of what is above it, and 0 of nothing', () => {
  expect(observed(1e9).p99).toBe(LATENCY_BOUNDS_MS.at(-1));
  expect(observed()).toMatchObject({ count: 0, sum: 0, p50: 0, p99: 0 });
});

it('counts several waits of the same length at once', () => {
  const histogram = new LatencyHistogram();
  histogram.observe(3, 7);
  expect(histogram.summary()).toMatchObject({ count: 7, sum: 21 });
});
