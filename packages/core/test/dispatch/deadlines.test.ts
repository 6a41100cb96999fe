import { ANONYMOUS, type Outcome } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, fixedRetry, sinkOf } from '../open-engine.ts';

const TIMEOUT_MS = 1_000;
const GRACE_MS = 30_000;
const DELIVERED: Outcome = { status: 'delivered' };
const endpoint = 'https://a.example/';
const retryPolicy = fixedRetry(5, 100);

describe('the time for a call', () => {
  it('is that of each of several calls at once: one that hangs takes its own place and no other', async () => {
    const { time, open } = durableWorld();
    let underWay = 0;
    let most = 0;
    const handled: number[] = [];
    const beganMs = time.monotonicMs();
    const bus = await open({
      webhookSink: () =>
        sinkOf(async (batch) => {
          most = Math.max(most, ++underWay);
          const n = batch[0]!.record.place.position;
          if (n === 1 && batch[0]!.attempt === 1) return new Promise(() => {});
          await time.wait(100);
          handled.push(n);
          underWay--;
          return batch.map(() => DELIVERED);
        }),
    });
    const options = { maxConcurrency: 3, timeoutMs: TIMEOUT_MS, retryPolicy };
    const { id } = await bus.subscribe({ name: 's', endpoint, options });
    await bus.publishMany(40);
    await bus.settled();
    expect(time.monotonicMs() - beganMs).toBeLessThan(TIMEOUT_MS + 40 * 100);
    expect(most).toBe(3);
    expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    expect(bus.status(id).counts).toMatchObject({ delivered: 40, failed: 1, retried: 1, stale: 0 });
    // Its place is free again when the grace is over, and not before.
    expect(bus.engine.memory().timetable).toBeGreaterThan(0);
    await time.advance(GRACE_MS);
    await bus.publishMany(9, 41);
    await time.advance(50);
    expect(underWay).toBe(1 + 3);
    await bus.settled();
  });

  it('ends calls in the order in which they began, each at its own time', async () => {
    const { time, open } = durableWorld();
    const endedAtMs: number[] = [];
    const beganMs = time.monotonicMs();
    const bus = await open({
      webhookSink: () =>
        sinkOf((batch, { signal }) => {
          if (batch[0]!.attempt > 1) return [DELIVERED];
          signal.addEventListener('abort', () => endedAtMs.push(time.monotonicMs() - beganMs));
          return new Promise(() => {});
        }),
    });
    await bus.subscribe({ endpoint, options: { maxConcurrency: 5, timeoutMs: TIMEOUT_MS, retryPolicy } });
    for (let n = 0; n < 4; n++) {
      await bus.publish();
      await time.advance(150);
    }
    await bus.settled();
    expect(endedAtMs).toEqual([1_000, 1_150, 1_300, 1_450]);
  });

  it('leaves what was said of one delivery of a batch as it is; the others come again, each alone', async () => {
    const { open } = durableWorld();
    const calls: number[][] = [];
    const bus = await open({
      webhookSink: () =>
        sinkOf((batch, attempt) => {
          calls.push(batch.map(({ record }) => record.place.position));
          if (batch[0]!.attempt > 1) return batch.map(() => DELIVERED);
          attempt.settled?.(0, DELIVERED);
          attempt.settled?.(2, { status: 'reject', error: { code: 'no', message: 'no' } });
          return new Promise(() => {});
        }),
    });
    const options = { batchSize: 4, timeoutMs: TIMEOUT_MS, retryPolicy, maxConcurrency: 2 };
    const { id } = await bus.subscribe({ name: 's', endpoint, options });
    // So that the four come together.
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.publishMany(4);
    await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.settled();
    expect(calls).toEqual([[1, 2, 3, 4], [2], [4]]);
    expect(bus.status(id).counts).toMatchObject({ delivered: 3, deadLettered: 1, retried: 2 });
  });

  it('gives the place back as soon as a late answer comes, and forgets the end of the grace', async () => {
    const { time, open } = durableWorld();
    const bus = await open({
      webhookSink: () =>
        sinkOf(async (batch) => {
          if (batch[0]!.attempt === 1) await time.wait(TIMEOUT_MS + 500);
          return [DELIVERED];
        }),
    });
    const { id } = await bus.subscribe({
      endpoint,
      options: { maxConcurrency: 1, timeoutMs: TIMEOUT_MS, retryPolicy },
    });
    await bus.publish();
    await time.advance(TIMEOUT_MS + 400);
    expect(bus.status(id)).toMatchObject({ state: 'working', counts: { retried: 1, stale: 0 } });
    await bus.settled();
    expect(bus.status(id).counts).toMatchObject({ delivered: 1, stale: 1 });
    await time.advance(TIMEOUT_MS);
    expect(bus.engine.memory().timetable).toBe(0);
  });
});
