import { ANONYMOUS, type Outcome } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { fixedRetry } from '../../open-engine.ts';
import { aBus, delivered, HOUR_MS, MINUTE_MS, SECOND_MS } from './receiver-rig.ts';

describe('a receiver that asks for a pause', () => {
  const later: Outcome = { status: 'busy', afterMs: 120 * SECOND_MS, error: { code: 'http_429', message: 'later' } };

  it('gets nothing at all before its time, spends nothing, and gets all of it then', async () => {
    const { bus, id, receiver, time } = await aBus({ maxConcurrency: 4, retryPolicy: fixedRetry(0) });
    receiver.answer = later;
    await bus.publishMany(100, 1, { topic: 'a' });
    await time.advance(100 * SECOND_MS);
    expect(receiver.asked).toHaveLength(4);
    const firstAtMs = receiver.asked[3]!.atMs;
    receiver.answer = delivered;
    await time.advance(30 * SECOND_MS);
    expect(receiver.asked[4]!.atMs - firstAtMs).toBeGreaterThanOrEqual(120 * SECOND_MS);
    expect(bus.status(id)).toMatchObject({ state: 'current', counts: { delivered: 100, failed: 0, deadLettered: 0 } });
    expect(bus.engine.metrics().receivers).toMatchObject({ pauses: 1 });
  });

  it('gets nothing before its time from a process that was started meanwhile either', async () => {
    const { bus, id, receiver, time, open } = await aBus({ maxConcurrency: 1 });
    receiver.answer = later;
    await bus.publishMany(5, 1, { topic: 'a' });
    await time.advance(10 * SECOND_MS);
    bus.crash();
    receiver.answer = delivered;
    const again = await open();
    await time.advance(100 * SECOND_MS);
    expect(receiver.asked).toHaveLength(1);
    expect(again.status(id).receiver?.attemptsAgainAt).toBeDefined();
    await time.advance(20 * SECOND_MS);
    expect(again.status(id)).toMatchObject({ state: 'current', counts: { delivered: 5 } });
  });

  it.each(['', 'paused and '])('is tried at once when somebody resumes it (%s resumed)', async (before) => {
    const { bus, id, receiver, time, open } = await aBus({ maxConcurrency: 3, retryPolicy: fixedRetry(3) });
    receiver.answer = { status: 'busy', afterMs: HOUR_MS };
    await bus.publishMany(10, 1, { topic: 'a' });
    await time.advance(SECOND_MS);
    expect(receiver.asked).toHaveLength(3);
    if (before) await time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await time.advance(SECOND_MS);
    // It is asked again, and may ask for another pause; that costs nothing.
    expect(receiver.asked).toHaveLength(6);
    expect(bus.status(id)).toMatchObject({ state: 'waiting', counts: { failed: 0, deadLettered: 0 } });
    receiver.answer = delivered;
    await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.settled();
    expect(bus.status(id)).toMatchObject({ state: 'current', counts: { delivered: 10, retried: 0 } });
    await bus.close();
    await (await open()).close();
  });

  it.each(['topic', 'key'])('is tried in order when somebody resumes it (%s)', async (order) => {
    const { bus, id, receiver, time } = await aBus({ order, maxConcurrency: 4, retryPolicy: fixedRetry(3) });
    receiver.answer = { status: 'busy', afterMs: HOUR_MS };
    for (let n = 1; n <= 8; n++) {
      await bus.publish({ topic: 'a', payload: { n }, metadata: { orderingKey: n % 2 === 0 ? 'even' : 'odd' } });
    }
    await time.advance(SECOND_MS);
    const before = receiver.asked.length;
    receiver.answer = delivered;
    await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.settled(MINUTE_MS);
    const taken = receiver.asked.slice(before).map(({ n }) => n as number);
    const odd = taken.filter((n) => n % 2 === 1);
    expect([odd, taken.filter((n) => n % 2 === 0)]).toEqual([
      [1, 3, 5, 7],
      [2, 4, 6, 8],
    ]);
    if (order === 'topic') expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await bus.close();
  });

  it('waits for nothing that somebody ended before a restart', async () => {
    const { bus, id, receiver, time, open } = await aBus({ retryPolicy: fixedRetry(3) });
    receiver.answer = { status: 'busy', afterMs: HOUR_MS };
    await bus.publishMany(1, 1, { topic: 'a' });
    await time.advance(SECOND_MS);
    const { promise } = Promise.withResolvers<void>();
    receiver.gate = promise;
    await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await time.advance(SECOND_MS);
    bus.crash();
    receiver.gate = undefined;
    receiver.answer = delivered;
    const next = await open();
    await next.publishMany(1, 2, { topic: 'a' });
    await next.settled(MINUTE_MS);
    expect(next.status(id).counts.delivered).toBe(2);
    await next.close();
  });

  it('asks for itself, not for the address that takes its place', async () => {
    const { bus, id, receiver, time } = await aBus({ maxConcurrency: 1 });
    receiver.answer = later;
    await bus.publishMany(5, 1, { topic: 'a' });
    await time.advance(SECOND_MS);
    receiver.answer = delivered;
    const changes = { endpoint: 'https://b.example/hook' };
    await time.run(bus.engine.subscriptions.update(ANONYMOUS, id, changes));
    await time.advance(SECOND_MS);
    // The one that was put off waits for its time.
    expect(bus.status(id)).toMatchObject({ owed: 1, counts: { delivered: 4 } });
  });

  it('that does not say how long gets longer ones each time, by the policy', async () => {
    const retryPolicy = {
      backoffStrategy: 'exponential',
      initialDelay: SECOND_MS,
      maxDelay: 8 * SECOND_MS,
      jitter: false,
    };
    const { bus, receiver, time } = await aBus({ maxConcurrency: 1, retryPolicy });
    receiver.answer = { status: 'busy' };
    await bus.publishMany(1, 1, { topic: 'a' });
    await time.advance(30 * SECOND_MS);
    const waits = receiver.asked
      .slice(1)
      .map(({ atMs }, at) => Math.round((atMs - receiver.asked[at]!.atMs) / SECOND_MS));
    expect(waits).toEqual([1, 2, 4, 8, 8]);
  });
});
