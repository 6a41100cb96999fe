import { ANONYMOUS, type Sink } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, fixedRetry, openMemory, sinkOf } from '../../open-engine.ts';
import {
  aBus,
  DAY_MS,
  delivered,
  endpoint,
  failure,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  stateOf,
  told,
} from './receiver-rig.ts';

describe('a breaker of a subscription', () => {
  const breaker = { failures: 3, windowMs: HOUR_MS, openMs: 10 * SECOND_MS };

  it('attempts nothing and spends nothing while it is open; what is owed waits and all of it is delivered', async () => {
    const { bus, id, receiver, time } = await aBus({ breaker, maxConcurrency: 1, retryPolicy: fixedRetry(3) });
    receiver.answer = failure;
    await bus.publishMany(100, 1, { topic: 'a' });
    await time.advance(20);
    expect(receiver.asked).toHaveLength(3);
    expect(bus.status(id)).toMatchObject({
      state: 'waiting',
      owed: 3,
      receiver: { breaker: 'open', failuresInARow: 3 },
    });
    await time.advance(9 * SECOND_MS);
    expect(receiver.asked).toHaveLength(3);
    expect(bus.status(id).counts).toMatchObject({ failed: 3, retried: 3, deadLettered: 0 });
    receiver.answer = delivered;
    await time.advance(3 * SECOND_MS);
    expect(bus.status(id)).toMatchObject({
      state: 'current',
      counts: { delivered: 100, deadLettered: 0 },
      receiver: { breaker: 'closed', failuresInARow: 0 },
    });
    expect(await bus.deadLetters()).toEqual([]);
  });

  it('lets exactly one delivery through when its time is over, however many may be under way at once', async () => {
    const { bus, id, receiver, time } = await aBus({ breaker, maxConcurrency: 10, retryPolicy: fixedRetry(9) });
    receiver.answer = failure;
    await bus.publishMany(50, 1, { topic: 'a' });
    await time.advance(9 * SECOND_MS);
    const before = receiver.asked.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    receiver.gate = promise;
    await time.advance(5 * SECOND_MS);
    expect(receiver.asked).toHaveLength(before + 1);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'half-open' });
    receiver.answer = delivered;
    receiver.gate = undefined;
    resolve();
    // It was asked while it failed.
    await time.advance(SECOND_MS);
    expect([receiver.asked.length, bus.status(id).receiver?.breaker]).toEqual([before + 1, 'open']);
    await time.advance(30 * SECOND_MS);
    expect(bus.status(id).counts).toMatchObject({ delivered: 50, deadLettered: 0 });
  });

  it('waits longer after each probe that fails', async () => {
    const { bus, receiver, time } = await aBus({ breaker, maxConcurrency: 1, retryPolicy: fixedRetry(50) });
    receiver.answer = failure;
    await bus.publishMany(3, 1, { topic: 'a' });
    await time.advance(5 * MINUTE_MS);
    const waits = receiver.asked.slice(3).map(({ atMs }, at) => (atMs - receiver.asked[at + 2]!.atMs) / SECOND_MS);
    expect(waits).toHaveLength(4);
    for (const [at, least] of [10, 20, 40, 80].entries()) {
      expect(waits[at]).toBeGreaterThanOrEqual(least);
      expect(waits[at]).toBeLessThanOrEqual(least * 1.1 + 1);
    }
  });

  it('is told when it opens and when it closes, once each, to everybody else', async () => {
    const { bus, id, receiver, time } = await aBus({ breaker, maxConcurrency: 1, retryPolicy: fixedRetry(9) });
    receiver.answer = failure;
    await bus.publishMany(5, 1, { topic: 'a' });
    await time.advance(40 * SECOND_MS);
    receiver.answer = delivered;
    await time.advance(MINUTE_MS);
    expect(await told(bus)).toMatchObject([
      { topic: 'breaker-opened', subscriptionId: id, name: 'hook', code: 'http_500', count: 1 },
      { topic: 'breaker-closed', subscriptionId: id, name: 'hook', count: 1 },
    ]);
    expect(bus.engine.metrics().receivers).toMatchObject({
      breakers: { closed: 1, open: 0, 'half-open': 0 },
      breakersOpened: 1,
      breakersClosed: 1,
    });
  });

  it('spends nothing of a delivery whose probe did not reach the receiver', async () => {
    const { bus, receiver, time } = await aBus({ breaker, retryPolicy: fixedRetry(1) });
    receiver.answer = { status: 'retry', error: { code: 'connection_refused', message: 'no' }, unreached: true };
    await bus.publishMany(3, 1, { topic: 'a' });
    await time.advance(2 * HOUR_MS);
    expect(receiver.asked.length).toBeGreaterThan(20);
    expect(await bus.deadLetters()).toEqual([]);
    receiver.answer = delivered;
    await time.advance(10 * MINUTE_MS);
    expect(new Set(receiver.asked.slice(-3).map(({ n }) => n))).toEqual(new Set([1, 2, 3]));
  });

  it('gets past an event that can never be taken: its probes spend its retries', async () => {
    const { bus, id, receiver, time } = await aBus({ breaker, maxConcurrency: 1, retryPolicy: fixedRetry(4) });
    receiver.answer = failure;
    await bus.publishMany(1, 1, { topic: 'a' });
    await time.advance(10 * MINUTE_MS);
    expect((await bus.deadLetters()).map(({ attempts }) => attempts)).toEqual([5]);
    receiver.answer = delivered;
    await bus.publishMany(1, 2, { topic: 'a' });
    await time.advance(10 * MINUTE_MS);
    expect(bus.status(id)).toMatchObject({ counts: { delivered: 1 }, receiver: { breaker: 'closed' } });
  });

  it('is neither opened nor closed by a receiver that asks for a pause', async () => {
    const { bus, id, receiver, time } = await aBus({ breaker, maxConcurrency: 1, retryPolicy: fixedRetry(9) });
    receiver.answer = { status: 'busy', afterMs: SECOND_MS };
    await bus.publishMany(10, 1, { topic: 'a' });
    await time.advance(20 * SECOND_MS);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'closed', failuresInARow: 0 });
    receiver.answer = failure;
    await time.advance(8 * SECOND_MS);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'open' });
    receiver.answer = { status: 'busy', afterMs: SECOND_MS };
    await time.advance(MINUTE_MS);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'open' });
    receiver.answer = delivered;
    await time.advance(10 * SECOND_MS);
    expect(bus.status(id)).toMatchObject({ counts: { delivered: 10 }, receiver: { breaker: 'closed' } });
  });

  it('is closed after a restart, and by whoever resumes', async () => {
    const { bus, id, receiver, time, kept, open } = await aBus({ breaker, maxConcurrency: 1 });
    receiver.answer = failure;
    await bus.publishMany(10, 1, { topic: 'a' });
    await time.advance(2 * SECOND_MS);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'open' });
    const before = receiver.asked.length;
    await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await time.advance(SECOND_MS);
    // As many as open it again.
    expect(receiver.asked).toHaveLength(before + 3);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'open', failuresInARow: 3 });
    bus.crash();
    expect(kept).toBeDefined();
    receiver.answer = delivered;
    const again = await open();
    await time.advance(2 * SECOND_MS);
    expect(again.status(id)).toMatchObject({ state: 'current', receiver: { breaker: 'closed' } });
  });

  it('is told of also when somebody who resumes closes it', async () => {
    const { bus, id, receiver, time } = await aBus({ breaker, maxConcurrency: 1, retryPolicy: fixedRetry(9) });
    receiver.answer = failure;
    await bus.publishMany(3, 1, { topic: 'a' });
    await time.advance(SECOND_MS);
    receiver.answer = delivered;
    for (let times = 0; times < 3; times++) await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await time.advance(2 * SECOND_MS);
    expect(bus.status(id).counts).toMatchObject({ delivered: 3 });
    expect((await told(bus)).map(({ topic }) => topic)).toEqual(['breaker-opened', 'breaker-closed']);
    expect(bus.engine.metrics().receivers).toMatchObject({ breakersOpened: 1, breakersClosed: 1 });
  });

  it('is closed when another way to the receiver is taken: it knows nothing of that', async () => {
    const { time, open } = durableWorld();
    let way: 'realtime' | 'fallback' = 'fallback';
    let changed = () => {};
    const sink: Sink = {
      ...sinkOf((batch) => batch.map(() => (way === 'realtime' ? delivered : failure))),
      watch: (onChange) => {
        changed = onChange;
      },
      get realtime() {
        return { connected: way === 'realtime', way, switches: 0 };
      },
    };
    const bus = await open({ webSocketSink: () => sink });
    const options = { breaker, retryPolicy: fixedRetry(9) };
    const { id } = await bus.subscribe({ endpoint: 'wss://a.example/', options });
    await bus.publishMany(5);
    await time.advance(2 * SECOND_MS);
    changed();
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'open' });
    way = 'realtime';
    changed();
    await time.advance(SECOND_MS);
    expect(bus.status(id)).toMatchObject({ counts: { delivered: 5 }, receiver: { breaker: 'closed' } });
  });

  it('counts a batch that fails as one failure', async () => {
    const { bus, id, receiver, time } = await aBus({ breaker, maxConcurrency: 1, batchSize: 10 });
    receiver.answer = failure;
    await bus.publishMany(10, 1, { topic: 'a' });
    await time.advance(500);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'closed', failuresInARow: 1 });
  });

  it('is there by default for what has an endpoint, can be switched off, and is off for a handler', async () => {
    const { bus, id, receiver, time } = await aBus({ maxConcurrency: 1, retryPolicy: fixedRetry(20) });
    receiver.answer = failure;
    await bus.publishMany(1, 1, { topic: 'a' });
    await time.advance(25 * SECOND_MS);
    expect([receiver.asked.length, bus.status(id).receiver?.breaker]).toEqual([10, 'open']);
    await time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options: { breaker: false } }));
    await time.advance(5 * SECOND_MS);
    expect(receiver.asked.length).toBeGreaterThanOrEqual(14);
    expect(bus.status(id).receiver).not.toHaveProperty('breaker');
    const handler = await bus.subscribe({ topic: 'b', handler: () => {} });
    expect(bus.status(handler.id)).not.toHaveProperty('receiver');
    const other = await bus.subscribe({ topic: 'b', handler: () => {}, options: { breaker: true } });
    expect(bus.status(other.id)).toMatchObject({ receiver: { breaker: 'closed' } });
  });
});

describe('a handler with a breaker, in memory, where publishing waits for handlers', () => {
  it('holds up no publisher while it is open, neither one that waits already nor one that comes', async () => {
    const bus = await openMemory();
    let isDown = true;
    const breaker = { failures: 2, openMs: 10 * SECOND_MS };
    const handler = () => {
      if (isDown) throw new Error('down');
    };
    const { id } = await bus.subscribe({ handler, options: { breaker, retryPolicy: fixedRetry(3) } });
    const startMs = bus.time.monotonicMs();
    await bus.publishMany(10);
    await bus.publish();
    expect(bus.time.monotonicMs() - startMs).toBeLessThan(SECOND_MS);
    expect(bus.status(id).receiver).toMatchObject({ breaker: 'open' });
    isDown = false;
    await bus.settled();
    expect(bus.status(id).counts).toMatchObject({ delivered: 11, failed: 2 });
  });
});

describe('a receiver that fails for days', () => {
  const options = { retryPolicy: { ...fixedRetry(1_000, HOUR_MS) }, breaker: false };

  it('is warned of at half of the time and disabled after all of it, and resumed by a person', async () => {
    const { bus, id, receiver, time } = await aBus(options);
    receiver.answer = failure;
    await bus.publishMany(2, 1, { topic: 'a' });
    await time.advance(2 * DAY_MS + 11 * HOUR_MS);
    expect(await told(bus)).toEqual([]);
    await time.advance(2 * HOUR_MS);
    expect(await told(bus)).toMatchObject([{ topic: 'failing', subscriptionId: id, code: 'http_500' }]);
    await time.advance(2 * DAY_MS + 9 * HOUR_MS);
    expect(stateOf(bus, id).state).toBe('active');
    await time.advance(3 * HOUR_MS);
    const { state, stoppedReason } = stateOf(bus, id);
    expect(state).toBe('stopped');
    expect(stoppedReason).toMatchObject({ code: 'failing', message: expect.stringContaining('no') });
    expect(await told(bus)).toMatchObject([{ topic: 'failing' }, { topic: 'disabled', subscriptionId: id }]);
    expect(bus.engine.metrics().receivers).toMatchObject({ disabled: 1, gone: 0 });
    const attempts = receiver.asked.length;
    await time.advance(DAY_MS);
    expect(receiver.asked).toHaveLength(attempts);
    expect(bus.status(id)).toMatchObject({ state: 'stopped', owed: 2 });
    receiver.answer = delivered;
    const resumed = await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    expect(resumed).not.toHaveProperty('stoppedReason');
    await time.advance(2 * HOUR_MS);
    expect(bus.status(id)).toMatchObject({ state: 'current', counts: { delivered: 2 } });
    expect(bus.status(id).receiver).not.toHaveProperty('failingSince');
  });

  it('is not disabled as long as it takes something now and then', async () => {
    const { bus, id, receiver, time } = await aBus(options);
    receiver.answer = failure;
    for (let day = 0; day < 12; day++) {
      await bus.publishMany(1, day, { topic: 'a' });
      await time.advance(DAY_MS - 2 * HOUR_MS);
      receiver.answer = day % 4 === 3 ? delivered : failure;
      await time.advance(2 * HOUR_MS);
      receiver.answer = failure;
    }
    expect(stateOf(bus, id).state).toBe('active');
    expect((await told(bus)).map(({ topic }) => topic)).not.toContain('disabled');
  });

  it('is disabled after the same time when the process was restarted every day and the wall clock jumped', async () => {
    const { bus, id, receiver, time, open } = await aBus(options);
    receiver.answer = failure;
    await bus.publishMany(1, 1, { topic: 'a' });
    let current = bus;
    const startMs = time.monotonicMs();
    for (let day = 0; day < 10 && stateOf(current, id).state === 'active'; day++) {
      await time.advance(12 * HOUR_MS);
      current.crash();
      time.jumpWall(day % 2 === 0 ? 30 * DAY_MS : -30 * DAY_MS);
      current = await open();
      await time.advance(12 * HOUR_MS);
    }
    const days = (time.monotonicMs() - startMs) / DAY_MS;
    expect(stateOf(current, id)).toMatchObject({ state: 'stopped', stoppedReason: { code: 'failing' } });
    expect(days).toBeGreaterThanOrEqual(5);
    expect(days).toBeLessThanOrEqual(7);
  });

  it('begins anew with another address, also when the first one comes back later', async () => {
    const { bus, id, receiver, time } = await aBus({ ...options, disableAfterMs: DAY_MS });
    receiver.answer = failure;
    await bus.publishMany(1, 1, { topic: 'a' });
    await time.advance(20 * HOUR_MS);
    const failingSince = () => bus.status(id).receiver?.failingSince;
    expect(failingSince()).toBeDefined();
    const moveTo = (address: string) => time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { endpoint: address }));
    await moveTo('https://b.example/hook');
    expect(failingSince()).toBeUndefined();
    await moveTo(endpoint);
    expect(failingSince()).toBeUndefined();
    await time.advance(20 * HOUR_MS);
    expect(stateOf(bus, id).state).toBe('active');
    await time.advance(6 * HOUR_MS);
    expect(stateOf(bus, id).state).toBe('stopped');
  });

  it('is measured on with a shorter or longer time when that is changed', async () => {
    const { bus, id, receiver, time } = await aBus(options);
    receiver.answer = failure;
    await bus.publishMany(1, 1, { topic: 'a' });
    await time.advance(20 * HOUR_MS);
    const changes = { options: { disableAfterMs: 10 * HOUR_MS } };
    await time.run(bus.engine.subscriptions.update(ANONYMOUS, id, changes));
    expect(stateOf(bus, id).state).toBe('active');
    await time.advance(2 * HOUR_MS);
    expect(stateOf(bus, id)).toMatchObject({ state: 'stopped', stoppedReason: { code: 'failing' } });
  });

  it('is stopped at once when it says that it is gone', async () => {
    const { bus, id, receiver, time } = await aBus(options);
    receiver.answer = { status: 'gone', error: { code: 'http_410', message: 'Gone.' } };
    await bus.publishMany(3, 1, { topic: 'a' });
    await time.advance(SECOND_MS);
    expect(stateOf(bus, id)).toMatchObject({ state: 'stopped', stoppedReason: { code: 'http_410', message: 'Gone.' } });
    expect(await told(bus)).toMatchObject([{ topic: 'stopped', code: 'http_410', reason: 'Gone.' }]);
    expect(bus.engine.metrics().receivers).toMatchObject({ disabled: 0, gone: 1 });
  });
});
