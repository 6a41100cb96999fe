import { describe, expect, it } from 'vitest';
import { durableWorld, sinkOf } from '../../open-engine.ts';

const FLUSH_MS = 100;
const CALL_MS = 1_000;

/** A receiver that takes a second for each of at most two calls, and what it was called with and when. */
async function start(options: object) {
  const { time, open } = durableWorld();
  const calls: { atMs: number; size: number }[] = [];
  const bus = await open({
    webhookSink: () =>
      sinkOf(async (batch) => {
        calls.push({ atMs: time.monotonicMs(), size: batch.length });
        await time.wait(CALL_MS);
        return batch.map(() => ({ status: 'delivered' }) as const);
      }),
  });
  const endpoint = 'https://a.example/';
  await bus.subscribe({ endpoint, options: { batchSize: 10, maxConcurrency: 2, ...options } });
  // The first reservation is durable from here on.
  await bus.publishMany(1);
  await bus.settled();
  calls.length = 0;
  return { bus, time, calls, beganMs: time.monotonicMs(), sizes: () => calls.map(({ size }) => size) };
}

describe('flushIntervalMs', () => {
  it('lets an idle receiver have at once what there is', async () => {
    const { bus, calls, beganMs } = await start({ flushIntervalMs: FLUSH_MS });
    await bus.publish();
    expect(calls).toEqual([{ atMs: beganMs, size: 1 }]);
  });

  it('lets a batch fill while the receiver is busy, and no longer than that', async () => {
    const { bus, time, calls, beganMs } = await start({ flushIntervalMs: FLUSH_MS });
    await bus.publish();
    for (let n = 0; n < 3; n++) {
      await time.advance(20);
      await bus.publish();
    }
    expect(calls).toHaveLength(1);
    await time.advance(500);
    // The first of the three came after 20 ms.
    expect(calls[1]).toEqual({ atMs: beganMs + 20 + FLUSH_MS, size: 3 });
  });

  it('sends a full batch at once', async () => {
    const { bus, sizes } = await start({ flushIntervalMs: FLUSH_MS });
    await bus.publish();
    await bus.publishMany(10);
    expect(sizes()).toEqual([1, 10]);
  });

  it('does not hold back a CRITICAL event, nor what goes with it', async () => {
    const { bus, sizes } = await start({ flushIntervalMs: FLUSH_MS });
    await bus.publish();
    await bus.publishMany(2);
    expect(sizes()).toEqual([1]);
    await bus.publish({ priority: 'CRITICAL' });
    expect(sizes()).toEqual([1, 3]);
  });

  it('sends what waits when the receiver has nothing to do any more', async () => {
    const { bus, time, calls, beganMs } = await start({ flushIntervalMs: 60_000 });
    await bus.publish();
    await bus.publishMany(2);
    await time.advance(2 * CALL_MS);
    expect(calls).toEqual([
      { atMs: beganMs, size: 1 },
      { atMs: beganMs + CALL_MS, size: 2 },
    ]);
  });

  it('is 0 when it is not given: a free slot waits for nothing', async () => {
    const { bus, sizes } = await start({});
    await bus.publish();
    await bus.publish();
    expect(sizes()).toEqual([1, 1]);
  });
});

describe('smartBatching', () => {
  it('is batches of 20 that wait for 100 ms at most', async () => {
    const { bus, time, sizes } = await start({ smartBatching: true, batchSize: undefined });
    await bus.publish();
    await bus.publishMany(19);
    expect(sizes()).toEqual([1]);
    await bus.publish();
    expect(sizes()).toEqual([1, 20]);
    await time.advance(10 * CALL_MS);
    expect(sizes()).toEqual([1, 20]);
  });
});
