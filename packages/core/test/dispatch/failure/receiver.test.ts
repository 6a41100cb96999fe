import { ANONYMOUS, decodeEvent, type Outcome, type Sink } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry, openMemory, sinkOf } from '../../open-engine.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const ERROR = { code: 'http_500', message: 'no' };
const failure: Outcome = { status: 'retry', error: ERROR };
const delivered: Outcome = { status: 'delivered' };
const endpoint = 'https://a.example/hook';

/** A receiver that answers as it is told, and when it was asked. */
function aReceiver() {
  const receiver = {
    answer: delivered as Outcome,
    asked: [] as { atMs: number; n: unknown; attempt: number }[],
    /** Answers wait for this. */
    gate: undefined as Promise<void> | undefined,
  };
  return receiver;
}

async function aBus(options: Record<string, unknown> = {}) {
  const world = durableWorld();
  const receiver = aReceiver();
  const deliver: Sink['deliver'] = async (batch) => {
    for (const { record, attempt } of batch) {
      const atMs = world.time.monotonicMs();
      receiver.asked.push({ atMs, n: decodeEvent(record.body).payload['n'], attempt });
    }
    const { answer } = receiver;
    await receiver.gate;
    return batch.map(() => answer);
  };
  const open = () => world.open({ systemEvents: true, webhookSink: () => sinkOf(deliver) });
  const bus = await open();
  const { id } = await bus.subscribe({ name: 'hook', topic: 'a', endpoint, options });
  return { ...world, receiver, bus, id, open };
}

/** Topics and payloads of what the bus told of subscriptions. */
async function told(bus: EngineUnderTest) {
  const request = { limit: 1_000, direction: 'forward' } as const;
  const { records } = await bus.time.run(bus.engine.history.find(ANONYMOUS, { topic: '$sys/subscription/#' }, request));
  return records.map(({ topic, body }) => ({
    topic: topic.slice('$sys/subscription/'.length),
    ...decodeEvent(body).payload,
  }));
}

const stateOf = (bus: EngineUnderTest, id: string) => bus.engine.subscriptions.get(ANONYMOUS, id);

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
