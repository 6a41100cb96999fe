import { ANONYMOUS, type JsonObject, type Outcome } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry, openMemory, type SetUp } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, FAILED, KeyedReceiver, publishKeys, REJECTED } from './keyed-receiver.ts';

const NAME = 'ordered';

async function start(options: JsonObject = {}, setUp: SetUp = {}) {
  const world = durableWorld();
  const receiver = new KeyedReceiver();
  const open = () => world.open({ webhookSink: () => receiver.sink, ...setUp });
  const bus = await open();
  const all = { order: 'key', retryPolicy: fixedRetry(9, 1_000), breaker: false, ...options };
  const { id } = await bus.subscribe({ name: NAME, endpoint: ENDPOINT, options: all });
  return { world, receiver, open, bus, id };
}

function keysOf(bus: EngineUnderTest, id: string) {
  return bus.time.run(bus.engine.subscriptions.keys.all(ANONYMOUS, id));
}

function release(bus: EngineUnderTest, id: string, key: string) {
  return bus.time.run(bus.engine.subscriptions.keys.release(ANONYMOUS, id, key));
}

describe('order by key', () => {
  it('begins with an event when the one before it of its key is settled, while other keys go on', async () => {
    const { receiver, bus } = await start();
    receiver.answer = ({ n, attempt }) => (n === 1 && attempt < 3 ? FAILED : DELIVERED);
    await publishKeys(bus, 'aabaab');
    await bus.time.advance(500);
    expect(receiver.of('a')).toEqual(['1/1']);
    expect(receiver.of('b')).toEqual(['3/1', '6/1']);
    await bus.settled();
    expect(receiver.of('a')).toEqual(['1/1', '1/2', '1/3', '2/1', '4/1', '5/1']);
    await bus.close();
  });

  it('holds back later events of a key while one is under way, whatever their priority', async () => {
    const { receiver, bus } = await start();
    const answers: ((outcome: Outcome) => void)[] = [];
    receiver.answer = () => new Promise((resolve) => answers.push(resolve));
    await bus.publish({ payload: { n: 1 }, metadata: { orderingKey: 'a' }, priority: 'LOW' });
    await bus.publish({ payload: { n: 2 }, metadata: { orderingKey: 'a' }, priority: 'CRITICAL' });
    await bus.publish({ payload: { n: 3 }, metadata: { orderingKey: 'b' }, priority: 'LOW' });
    await bus.time.advance(200);
    expect([receiver.of('a'), receiver.of('b')]).toEqual([['1/1'], ['3/1']]);
    answers[0]!(DELIVERED);
    await bus.time.advance(10);
    expect(receiver.of('a')).toEqual(['1/1', '2/1']);
    for (const answer of answers) answer(DELIVERED);
    await bus.settled();
    await bus.close();
  });

  it('reads the key from the payload, else from the metadata, else from the topic', async () => {
    const { receiver, bus } = await start({ orderingKey: 'payload.customer.id' });
    receiver.answer = ({ n, attempt }) => (n === 1 && attempt === 1 ? FAILED : DELIVERED);
    await bus.publish({ payload: { n: 1, customer: { id: 7 } }, metadata: { orderingKey: 'x' } });
    await bus.publish({ payload: { n: 2, customer: { id: '7' } }, metadata: { orderingKey: 'y' } });
    await bus.publish({ payload: { n: 3, customer: { id: null } }, metadata: { orderingKey: '7' } });
    await bus.publish({ payload: { n: 4 }, topic: '7' });
    await bus.publish({ payload: { n: 5 }, topic: 'other' });
    await bus.time.advance(500);
    expect(receiver.seen.map(({ n }) => n)).toEqual([1, 5]);
    await bus.settled();
    expect(receiver.seen.map(({ n }) => n)).toEqual([1, 5, 1, 2, 3, 4]);
    await bus.close();
  });

  it('orders by topic, in whatever spelling it was published', async () => {
    const { receiver, bus } = await start({ order: 'topic' });
    receiver.answer = ({ n, attempt }) => (n === 1 && attempt === 1 ? FAILED : DELIVERED);
    await bus.publish({ payload: { n: 1 }, topic: 'order.created', metadata: { orderingKey: 'p' } });
    await bus.publish({ payload: { n: 2 }, topic: 'order/created', metadata: { orderingKey: 'q' } });
    await bus.publish({ payload: { n: 3 }, topic: 'order/paid', metadata: { orderingKey: 'p' } });
    await bus.settled();
    expect(receiver.seen.map(({ n }) => n)).toEqual([1, 3, 1, 2]);
    await bus.close();
  });

  it('keeps a key blocked after a timeout until the receiver lets go, and takes its late answer for stale', async () => {
    const { receiver, bus, id } = await start({ timeoutMs: 1_000, retryPolicy: fixedRetry(9, 100) });
    const answers: ((outcome: Outcome) => void)[] = [];
    receiver.answer = ({ key }) => (key === 'a' ? new Promise((resolve) => answers.push(resolve)) : DELIVERED);
    await publishKeys(bus, 'aab');
    await bus.time.advance(20_000);
    expect([receiver.of('a'), receiver.of('b')]).toEqual([['1/1'], ['3/1']]);
    answers[0]!(DELIVERED);
    await bus.time.advance(50);
    expect(receiver.of('a')).toEqual(['1/1', '1/2']);
    expect(bus.status(id).counts.stale).toBe(1);
    answers[1]!(DELIVERED);
    receiver.answer = () => DELIVERED;
    await bus.settled();
    expect(receiver.of('a')).toEqual(['1/1', '1/2', '2/1']);
    await bus.close();
  });

  it('waits 30 s at most for a receiver that never lets go', async () => {
    const { receiver, bus } = await start({ timeoutMs: 1_000, retryPolicy: fixedRetry(0) });
    receiver.answer = ({ n }) => (n === 1 ? new Promise(() => {}) : DELIVERED);
    await publishKeys(bus, 'aa');
    await bus.time.advance(30_500);
    expect(receiver.of('a')).toEqual(['1/1']);
    await bus.time.advance(1_000);
    expect(receiver.of('a')).toEqual(['1/1', '2/1']);
    await bus.settled();
    await bus.close();
  });

  it('never puts two events of one key into a batch', async () => {
    const { receiver, bus } = await start({ batchSize: 10, maxConcurrency: 1 });
    const hold = Promise.withResolvers<Outcome>();
    receiver.answer = ({ n }) => (n === 1 ? hold.promise : DELIVERED);
    await publishKeys(bus, 'zabcabca');
    hold.resolve(DELIVERED);
    await bus.settled();
    expect(receiver.calls).toEqual([1, 3, 3, 1]);
    expect([receiver.of('a'), receiver.of('b')]).toEqual([
      ['2/1', '5/1', '8/1'],
      ['3/1', '6/1'],
    ]);
    await bus.close();
  });
});

describe('what survives', () => {
  it.each(['crash', 'close'] as const)('a %s keeps the order of a blocked key', async (way) => {
    const { receiver, bus, id, open } = await start();
    receiver.answer = ({ key }) => (key === 'a' ? FAILED : DELIVERED);
    await publishKeys(bus, 'aabaab');
    await bus.time.advance(300);
    expect(bus.status(id)).toMatchObject({ owed: 1, waiting: 3, blockedKeys: 1, parkedKeys: 0 });
    if (way === 'crash') bus.crash();
    else await bus.close();
    const again = await open();
    await again.time.advance(300);
    await publishKeys(again, 'aab', 7);
    receiver.answer = () => DELIVERED;
    await again.settled();
    expect(receiver.firstOf('a')).toEqual([1, 2, 4, 5, 7, 8]);
    expect(receiver.of('b')).toEqual(['3/1', '6/1', '9/1']);
    expect(again.status(id)).toMatchObject({ owed: 0, waiting: 0, blockedKeys: 0 });
    await again.close();
  });

  it('an update, with what is blocked ordered as it was when it failed', async () => {
    const { receiver, bus, id } = await start();
    receiver.answer = ({ key }) => (key === 'a' ? FAILED : DELIVERED);
    await publishKeys(bus, 'aabaa');
    await bus.time.advance(300);
    await bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options: { order: 'none' } }));
    await publishKeys(bus, 'aa', 6);
    await bus.time.advance(300);
    // Nothing is ordered from now on: the new ones do not wait.
    expect(receiver.firstOf('a')).toEqual([1, 6, 7]);
    receiver.answer = () => DELIVERED;
    await bus.settled();
    expect(receiver.firstOf('a')).toEqual([1, 6, 7, 2, 4, 5]);
    await bus.close();
  });

  it('an update that turns order on, with what each priority had settled', async () => {
    const { receiver, bus, id } = await start({ order: 'none', maxConcurrency: 1 });
    const hold = Promise.withResolvers<Outcome>();
    receiver.answer = ({ n }) => (n === 1 ? hold.promise : DELIVERED);
    await bus.publish({ payload: { n: 1 }, metadata: { orderingKey: 'a' }, priority: 'LOW' });
    await bus.publish({ payload: { n: 2 }, metadata: { orderingKey: 'a' }, priority: 'LOW' });
    await bus.publish({ payload: { n: 3 }, metadata: { orderingKey: 'a' }, priority: 'HIGH' });
    await bus.time.advance(10);
    hold.resolve(DELIVERED);
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options: { order: 'key' } }));
    await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.settled();
    expect(receiver.seen.map(({ n }) => n).toSorted()).toEqual([1, 2, 3]);
    await bus.close();
  });

  it('more events of a blocked key than memory knows, each once and in order', async () => {
    const limits = { laneEntriesMax: 32, queueMaxSize: 16 };
    const { receiver, bus, open } = await start({ inFlightMax: 16 }, { limits });
    receiver.answer = ({ n }) => (n === 1 ? FAILED : DELIVERED);
    for (let first = 1; first <= 2_001; first += 100)
      await bus.publishMany(100, first, { metadata: { orderingKey: 'a' } });
    await bus.time.advance(5_000);
    expect(receiver.firstOf('a')).toEqual([1]);
    bus.crash();
    const again = await open();
    receiver.answer = () => DELIVERED;
    await again.settled();
    expect(receiver.firstOf('a')).toEqual(Array.from({ length: 2_100 }, (_, at) => at + 1));
    expect(receiver.seen.filter(({ n }) => n > 1_000).every(({ attempt }) => attempt === 1)).toBe(true);
    await again.close();
  });

  it('a crash while the first of more events is under way than the lane holds', async () => {
    const { receiver, bus, open, id } = await start({ inFlightMax: 16, maxConcurrency: 4 });
    receiver.answer = ({ n }) => (n === 1 ? new Promise(() => {}) : DELIVERED);
    await bus.publishMany(200, 1, { metadata: { orderingKey: 'a' } });
    await publishKeys(bus, 'bcd', 1_000);
    await bus.time.advance(300);
    expect(bus.status(id)).toMatchObject({ inFlight: 1, waiting: 199, blockedKeys: 1 });
    bus.crash();
    receiver.answer = () => DELIVERED;
    const again = await open();
    await again.settled();
    expect(receiver.firstOf('a')).toEqual(Array.from({ length: 200 }, (_, at) => at + 1));
    expect(receiver.of('a').slice(0, 2)).toEqual(['1/1', '1/2']);
    const { delivered, withdrawn } = again.status(id).counts;
    expect({ delivered, withdrawn }).toEqual({ delivered: 200, withdrawn: 0 });
    await again.close();
  });

  it('a hot key: it does not stop the others, and what waits of it is bounded in its lane', async () => {
    const { receiver, bus, id } = await start({ inFlightMax: 100 });
    const hold = Promise.withResolvers<Outcome>();
    receiver.answer = ({ n }) => (n === 1 ? hold.promise : DELIVERED);
    await publishKeys(bus, `h${'hhhhhhhhhhhhhhhhhhh1'.repeat(10)}`);
    await bus.publishMany(2_000, 1_000, { metadata: { orderingKey: 'h' } });
    await publishKeys(bus, '2', 5_000);
    await bus.time.advance(1_000);
    expect(receiver.of('2')).toEqual(['5000/1']);
    expect(receiver.of('1')).toHaveLength(10);
    const queue = bus.status(id);
    expect(queue).toMatchObject({ inFlight: 1, waiting: 2_190, blockedKeys: 1 });
    hold.resolve(DELIVERED);
    await bus.settled();
    const hot = receiver.firstOf('h');
    expect(hot).toEqual(hot.toSorted((a, b) => a - b));
    expect(hot).toHaveLength(2_191);
    await bus.close();
  });
});

describe('onFailure', () => {
  it('skip: the first failure is a dead letter, and the key goes on', async () => {
    const { receiver, bus, id } = await start({ onFailure: 'skip' });
    receiver.answer = ({ n }) => (n === 1 ? FAILED : DELIVERED);
    await publishKeys(bus, 'aaa');
    await bus.settled();
    expect(receiver.of('a')).toEqual(['1/1', '2/1', '3/1']);
    expect(await bus.deadLetters(id)).toMatchObject([{ attempts: 1 }]);
    await bus.close();
  });

  it('block: the key goes on after the dead letter', async () => {
    const { receiver, bus, id } = await start({ retryPolicy: fixedRetry(1, 1_000) });
    receiver.answer = ({ n }) => (n === 1 ? FAILED : DELIVERED);
    await publishKeys(bus, 'aaa');
    await bus.settled();
    expect(receiver.of('a')).toEqual(['1/1', '1/2', '2/1', '3/1']);
    expect(await bus.deadLetters(id)).toMatchObject([{ attempts: 2 }]);
    await bus.close();
  });

  it('park: after the dead letter the key waits for its release, also over a crash, and others go on', async () => {
    const { receiver, bus, id, open } = await start({ onFailure: 'park' });
    receiver.answer = ({ n }) => (n === 1 ? REJECTED : DELIVERED);
    await publishKeys(bus, 'aabaa');
    await bus.settled();
    expect([receiver.of('a'), receiver.of('b')]).toEqual([['1/1'], ['3/1']]);
    const [letter] = await bus.deadLetters(id);
    expect(await keysOf(bus, id)).toMatchObject([{ key: 'a', state: 'parked', waiting: 3, deadLetterId: letter!.id }]);
    bus.crash();
    const again = await open();
    await publishKeys(again, 'ac', 6);
    await again.settled();
    expect(receiver.of('a')).toEqual(['1/1']);
    expect(again.status(id)).toMatchObject({ parkedKeys: 1, blockedKeys: 0, waiting: 4, state: 'waiting' });
    expect(again.engine.metrics()).toMatchObject({ parkedKeys: 1, blockedKeys: 0 });
    expect(await release(again, id, 'a')).toMatchObject({ key: 'a', waiting: 4 });
    await again.settled();
    expect(receiver.firstOf('a')).toEqual([1, 2, 4, 5, 6]);
    expect(await keysOf(again, id)).toEqual([]);
    await again.close();
  });

  it('park: tells of it under $sys', async () => {
    const { receiver, bus, id } = await start({ onFailure: 'park' }, { systemEvents: true });
    const told: JsonObject[] = [];
    const handler = ({ topic, payload }: { topic: string; payload: JsonObject }) =>
      void told.push({ topic, ...payload });
    await bus.subscribe({ topic: '$sys/subscription/key-parked', handler });
    receiver.answer = () => REJECTED;
    await publishKeys(bus, 'aa');
    await bus.settled();
    const [letter] = await bus.deadLetters(id);
    const facts = { subscriptionId: id, name: NAME, key: 'a', deadLetterId: letter!.id };
    expect(told).toMatchObject([{ topic: '$sys/subscription/key-parked', ...facts }]);
    await bus.close();
  });

  it('park: a key without later events waits, too', async () => {
    const { receiver, bus, id, open } = await start({ onFailure: 'park' });
    receiver.answer = ({ n }) => (n === 1 ? REJECTED : DELIVERED);
    await publishKeys(bus, 'a');
    await bus.settled();
    bus.crash();
    const again = await open();
    await publishKeys(again, 'a', 2);
    await again.settled();
    expect(receiver.of('a')).toEqual(['1/1']);
    await release(again, id, 'a');
    await again.settled();
    expect(receiver.of('a')).toEqual(['1/1', '2/1']);
    await again.close();
  });

  it('releases a key while nobody serves the subscription', async () => {
    const world = durableWorld();
    const seen: number[] = [];
    const request = {
      name: NAME,
      topic: '#',
      options: { order: 'key', onFailure: 'park' },
      handler: ({ payload }: { payload: JsonObject }) => {
        seen.push(payload['n'] as number);
        return payload['n'] === 1 ? { success: false, retry: false } : undefined;
      },
    };
    const bus = await world.open();
    const { id } = await bus.subscribe(request);
    await publishKeys(bus, 'aab');
    await bus.settled();
    bus.crash();
    const again = await world.open();
    expect(await keysOf(again, id)).toMatchObject([{ key: 'a', state: 'parked', waiting: 1 }]);
    await release(again, id, 'a');
    expect(await keysOf(again, id)).toMatchObject([{ key: 'a', state: 'blocked', waiting: 1 }]);
    expect(await release(again, id, 'a')).toMatchObject({ key: 'a', state: 'blocked', waiting: 1 });
    await again.subscribe(request);
    await again.settled();
    expect(seen).toEqual([1, 3, 2]);
    expect(await keysOf(again, id)).toEqual([]);
    await again.close();
  });

  it('leaves a key as it is that is not parked', async () => {
    const { receiver, bus, id } = await start();
    receiver.answer = () => FAILED;
    await publishKeys(bus, 'a');
    await bus.time.advance(100);
    expect(await release(bus, id, 'a')).toEqual({ key: 'a', state: 'blocked', waiting: 0 });
    expect(await release(bus, id, 'b')).toEqual({ key: 'b', state: 'free', waiting: 0 });
    expect(receiver.of('a')).toEqual(['1/1']);
    const nobody = '01890a5d-ac96-774b-bcce-b302099a8057';
    await expect(release(bus, nobody, 'a')).rejects.toMatchObject({ code: 'subscription_not_found' });
    bus.crash();
  });
});

describe('bounds', () => {
  it('claims nothing new while too many keys are blocked, and goes on when one is free', async () => {
    const { receiver, bus, id } = await start({ onFailure: 'park' }, { limits: { blockedKeysMax: 2 } });
    receiver.answer = ({ key }) => (key < 'c' ? REJECTED : DELIVERED);
    await publishKeys(bus, 'abcd');
    await bus.time.advance(1_000);
    expect(receiver.seen.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(bus.status(id)).toMatchObject({ state: 'saturated', parkedKeys: 2 });
    await release(bus, id, 'a');
    await bus.settled();
    expect(receiver.seen.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
    await bus.close();
  });
});

describe('in memory', () => {
  it('keeps the order of a blocked key through a change of the subscription', async () => {
    const bus = await openMemory();
    const seen: number[] = [];
    const { id } = await bus.subscribe({
      handler: ({ payload }) => {
        seen.push(payload['n'] as number);
        if (seen.length === 1) throw new Error('not yet');
      },
      options: { order: 'key', retryPolicy: fixedRetry(3, 60_000) },
    });
    await publishKeys(bus, 'aaa');
    await bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { filter: { types: ['order.*'] } }));
    await publishKeys(bus, 'ab', 4);
    expect(bus.status(id)).toMatchObject({ owed: 1, waiting: 3, blockedKeys: 1 });
    await bus.settled();
    expect(seen).toEqual([1, 5, 1, 2, 3, 4]);
    await bus.close();
  });

  it('answers a publisher whose event waits behind a failed one, and keeps the order', async () => {
    const bus = await openMemory();
    const seen: number[] = [];
    await bus.subscribe({
      handler: async ({ payload }) => {
        seen.push(payload['n'] as number);
        if (payload['n'] === 1 && seen.length === 1) throw new Error('not yet');
      },
      options: { order: 'key', retryPolicy: fixedRetry(3, 60_000) },
    });
    const before = bus.time.monotonicMs();
    await publishKeys(bus, 'aaab');
    expect(bus.time.monotonicMs() - before).toBeLessThan(60_000);
    await bus.settled();
    expect(seen).toEqual([1, 4, 1, 2, 3]);
    await bus.close();
  });
});
