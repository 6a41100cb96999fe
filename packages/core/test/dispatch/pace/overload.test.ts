import type { PlantedBug } from '@event-manager/core';
import { expect, it } from 'vitest';
import { anEvent, durableWorld } from '../../open-engine.ts';

const CALL_MS = 5;
const TICK_MS = 50;
const OVERLOAD_MS = 60_000;
const AGING_MS = 1_000;
/** LOW counts as CRITICAL after three times that. */
const AGING_BOUND_MS = 3 * AGING_MS;
const HIGH_P99_MS_MAX = 250;
/** Of what the receiver can take: three times as much in all. */
const SHARES = { HIGH: 0.5, NORMAL: 2.4, LOW: 0.1 } as const;
type Priority = keyof typeof SHARES;

/** Sixty seconds of three times what the receiver can take; how long the first attempts waited, and the oldest LOW at any time. */
async function overload(options: object, planted: readonly PlantedBug[] = []) {
  const { time, open } = durableWorld();
  const bus = await open({ planted });
  const waitsMs: Record<Priority, number[]> = { HIGH: [], NORMAL: [], LOW: [] };
  const lowSinceMs = new Map<number, number>();
  let n = 0;
  let published = 0;
  const { id } = await bus.subscribe({
    name: 'busy',
    async handler({ payload }) {
      const { atMs, priority, number } = payload as { atMs: number; priority: Priority; number: number };
      waitsMs[priority].push(time.monotonicMs() - atMs);
      lowSinceMs.delete(number);
      await time.wait(CALL_MS);
    },
    options,
  });
  let lowOldestMs = 0;
  const endMs = time.monotonicMs() + OVERLOAD_MS;
  while (time.monotonicMs() < endMs) {
    const atMs = time.monotonicMs();
    const inputs = Object.entries(SHARES).flatMap(([priority, share]) => {
      return Array.from({ length: (share * TICK_MS) / CALL_MS }, () => {
        const number = ++n;
        if (priority === 'LOW') lowSinceMs.set(number, atMs);
        return anEvent({ priority: priority as Priority, payload: { atMs, priority, number } });
      });
    });
    published += inputs.length;
    await Promise.all([bus.engine.publishBatch({ id: 'x', kind: 'user' }, inputs), time.advance(TICK_MS)]);
    const [oldest] = lowSinceMs.values();
    if (oldest !== undefined) lowOldestMs = Math.max(lowOldestMs, time.monotonicMs() - oldest);
  }
  const highSorted = waitsMs.HIGH.toSorted((a, b) => a - b);
  return {
    bus,
    status: bus.status(id),
    published,
    delivered: Object.values(waitsMs).reduce((sum, { length }) => sum + length, 0),
    highP99Ms: highSorted[Math.floor(0.99 * highSorted.length)]!,
    lowOldestMs,
  };
}

it('keeps urgent events fast and lets the others in, under three times what the receiver can take', {
  timeout: 60_000,
}, async () => {
  const { status, published, delivered, highP99Ms, lowOldestMs } = await overload({ agingMs: AGING_MS });
  process.stdout.write(
    `${JSON.stringify({ test: 'D7', published, delivered, highP99Ms, lowOldestMs, boundMs: AGING_BOUND_MS })}\n`,
  );
  expect(published / (OVERLOAD_MS / CALL_MS)).toBeCloseTo(3, 1);
  expect(delivered).toBeGreaterThan(0.95 * (OVERLOAD_MS / CALL_MS));
  expect(highP99Ms).toBeLessThanOrEqual(HIGH_P99_MS_MAX);
  expect(lowOldestMs).toBeLessThanOrEqual(AGING_BOUND_MS);
  // The status tells the same of the lanes.
  expect(status.lanes!.HIGH.waitMeanMs).toBeLessThan(HIGH_P99_MS_MAX);
  expect(status.lanes!.LOW.waitMaxMs).toBeLessThanOrEqual(AGING_BOUND_MS);
  expect(status.lanes!.NORMAL.oldestMs).toBeGreaterThan(10 * AGING_BOUND_MS);
});

it.each([
  ['without aging: that is what it is for', {}, []],
  ['when aging is ignored: the planted bug is found', { agingMs: AGING_MS }, ['aging-ignored']],
] as const)('starves the least urgent ones %s', { timeout: 60_000 }, async (_why, options, planted) => {
  const { highP99Ms, lowOldestMs } = await overload(options, planted);
  expect(highP99Ms).toBeLessThanOrEqual(HIGH_P99_MS_MAX);
  expect(lowOldestMs).toBeGreaterThan(OVERLOAD_MS - 2_000);
});
