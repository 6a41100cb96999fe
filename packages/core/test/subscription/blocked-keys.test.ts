import { ANONYMOUS, EventManagerError, type JsonObject, type StateChange } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { DELIVERED, ENDPOINT, KeyedReceiver, publishKeys, REJECTED } from '../dispatch/order/keyed-receiver.ts';
import { anEvent, durableWorld, type EngineUnderTest, openOn } from '../open-engine.ts';

const OPTIONS = { order: 'key', onFailure: 'park', breaker: false } as const;

/** An ordered webhook whose receiver refuses the events `n` that are named. */
async function start(...refused: number[]) {
  const world = durableWorld();
  const receiver = new KeyedReceiver();
  const refusing = new Set(refused);
  receiver.answer = ({ n }) => (refusing.has(n) ? REJECTED : DELIVERED);
  const open = () => world.open({ webhookSink: () => receiver.sink });
  const bus = await open();
  const { id } = await bus.subscribe({ name: 'ordered', endpoint: ENDPOINT, options: OPTIONS });
  return { ...world, receiver, refusing, open, bus, id };
}

function release(bus: EngineUnderTest, id: string, key: string) {
  return bus.time.run(bus.engine.subscriptions.keys.release(ANONYMOUS, id, key));
}

function releaseAll(bus: EngineUnderTest, id: string) {
  return bus.time.run(bus.engine.subscriptions.keys.releaseAll(ANONYMOUS, id));
}

/** Events `n` from `first` on, each of a key of its own. */
async function publishNumbered(bus: EngineUnderTest, first: number, count: number): Promise<void> {
  const inputs = Array.from({ length: count }, (_, at) =>
    anEvent({ payload: { n: first + at }, metadata: { orderingKey: `k${at}` } }),
  );
  await bus.time.run(bus.engine.publishBatch(ANONYMOUS, inputs));
}

describe('a release', () => {
  it('that a full disk refused is refused again until it is durable, though the key goes on already', async () => {
    const { kept, bus, id } = await start(1);
    await publishKeys(bus, 'aa');
    await bus.settled();
    let isFull = true;
    kept.interfere = (call) => {
      if (call === 'commit' && isFull) throw new EventManagerError('disk_full', 'The disk is full.');
    };
    await expect(release(bus, id, 'a')).rejects.toMatchObject({ code: 'disk_full' });
    await expect(release(bus, id, 'a')).rejects.toMatchObject({ code: 'disk_full' });
    await expect(releaseAll(bus, id)).rejects.toMatchObject({ code: 'disk_full' });
    isFull = false;
    expect(await release(bus, id, 'a')).toMatchObject({ key: 'a', state: 'blocked' });
    await bus.settled();
    const { entries } = await kept.kept.state.load('blocked', { limit: 10 });
    expect(entries).toEqual([]);
    await bus.close();
  });

  it('costs no commit where nothing of the subscription waits for one', async () => {
    const { kept, bus, id } = await start();
    await publishKeys(bus, 'a');
    await bus.settled();
    await bus.time.advance(1_000);
    kept.calls.length = 0;
    await release(bus, id, 'a');
    expect(kept.calls).toEqual([]);
    await bus.close();
  });
});

describe('the release of all keys', () => {
  it('lets every parked key go on, a bounded number with a commit, and those that are parked again stay so', async () => {
    const { kept, bus, id, receiver, refusing } = await start();
    for (let n = 1; n <= 2_500; n++) refusing.add(n);
    await publishNumbered(bus, 1, 2_500);
    await publishNumbered(bus, 10_001, 2_500);
    await bus.settled();
    expect(bus.status(id)).toMatchObject({ parkedKeys: 2_500, waiting: 2_500 });
    refusing.add(10_001);
    kept.calls.length = 0;
    expect(await releaseAll(bus, id)).toEqual({ released: 2_500, waiting: 2_500 });
    const commits = kept.calls.filter(({ call }) => call === 'commit').map(({ args }) => args[0] as StateChange[]);
    const ends = commits.map((changes) => changes.filter(({ kind }) => kind === 'blocked').length);
    expect(Math.max(...ends)).toBeLessThan(2_100);
    await bus.settled();
    expect(receiver.seen.filter(({ n }) => n > 10_000)).toHaveLength(2_500);
    expect(await bus.time.run(bus.engine.subscriptions.keys.all(ANONYMOUS, id))).toMatchObject([
      { key: 'k0', state: 'parked', waiting: 0 },
    ]);
    await bus.close();
  });

  it('survives a crash right after it', async () => {
    const { bus, id, receiver, open } = await start(1, 2);
    await publishKeys(bus, 'abab');
    await bus.settled();
    expect(await releaseAll(bus, id)).toEqual({ released: 2, waiting: 2 });
    bus.crash();
    const again = await open();
    await again.settled();
    expect([receiver.firstOf('a'), receiver.firstOf('b')]).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(again.status(id)).toMatchObject({ parkedKeys: 0, blockedKeys: 0 });
    await again.close();
  });

  it('reaches a subscription that nobody serves, and may be repeated', async () => {
    const world = durableWorld();
    const seen: number[] = [];
    const request = {
      name: 'ordered',
      options: OPTIONS,
      handler: ({ payload }: { payload: JsonObject }) => {
        seen.push(payload['n'] as number);
        return (payload['n'] as number) <= 2 ? { success: false, retry: false } : undefined;
      },
    };
    const bus = await world.open();
    const { id } = await bus.subscribe(request);
    await publishKeys(bus, 'abab');
    await bus.settled();
    await bus.close();
    const again = await world.open();
    expect(await releaseAll(again, id)).toEqual({ released: 2, waiting: 2 });
    expect(await releaseAll(again, id)).toEqual({ released: 0, waiting: 0 });
    await again.subscribe(request);
    await again.settled();
    expect(seen.toSorted()).toEqual([1, 2, 3, 4]);
    expect((await world.kept.kept.state.load('blocked', { limit: 10 })).entries).toEqual([]);
    await again.close();
  });
});

describe('a process that does not serve the subscription', () => {
  async function startTwo(hintLossShare = 0) {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(5), stallShare: 0, hintLossShare });
    const receiver = new KeyedReceiver();
    receiver.answer = ({ n }) => (n <= 2 ? REJECTED : DELIVERED);
    const open = (owner: string) => openOn(shared.connect(), time, { owner, webhookSink: () => receiver.sink });
    const serving = await open('a');
    const { id } = await serving.subscribe({ name: 'ordered', endpoint: ENDPOINT, options: OPTIONS });
    await time.runUntil(() => serving.engine.isServing(id));
    const other = await open('b');
    await publishKeys(serving, 'abab');
    await time.advance(1_000);
    expect(other.engine.isServing(id)).toBe(false);
    return { time, receiver, serving, other, id };
  }

  it('is heard of every release, also of two that follow each other', async () => {
    const { time, receiver, serving, other, id } = await startTwo();
    const { keys } = other.engine.subscriptions;
    await time.run(Promise.all([keys.release(ANONYMOUS, id, 'a'), keys.release(ANONYMOUS, id, 'b')]));
    await time.runUntil(() => receiver.seen.length === 4, 30_000);
    expect([receiver.firstOf('a'), receiver.firstOf('b')]).toEqual([
      [1, 3],
      [2, 4],
    ]);
    await serving.close();
    await other.close();
  });

  it('releases a key although it has not heard of a change, and is heard', async () => {
    const { time, receiver, serving, other, id } = await startTwo(1);
    const stale = other.engine.subscriptions.get(ANONYMOUS, id);
    await time.run(serving.engine.subscriptions.update(ANONYMOUS, id, { options: { maxConcurrency: 3 } }));
    expect(other.engine.subscriptions.get(ANONYMOUS, id)).toBe(stale);
    await release(other, id, 'a');
    await time.runUntil(() => receiver.firstOf('a').length === 2, 30_000);
    await serving.close();
    await other.close();
  });

  it('releases all', async () => {
    const { time, receiver, serving, other, id } = await startTwo();
    expect(await releaseAll(other, id)).toEqual({ released: 2, waiting: 2 });
    await time.runUntil(() => receiver.seen.length === 4, 30_000);
    await serving.close();
    await other.close();
  });
});
