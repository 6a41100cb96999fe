import { ANONYMOUS, EventManagerError, type StateChange, type StateStore } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import type { ActiveSubscription } from '../../src/dispatch/active-subscription.ts';
import { Checkpoint } from '../../src/dispatch/checkpoint.ts';
import { durableWorld, fixedRetry, openOn, runtimeOn } from '../open-engine.ts';

async function servedWorld(names: string[] = ['s']) {
  const { time, kept, open } = durableWorld();
  const bus = await open();
  const ids: string[] = [];
  for (const name of names) ids.push((await bus.subscribe({ name, handler: () => {} })).id);
  await bus.publish();
  await bus.settled();
  kept.calls.length = 0;
  const commits = () => kept.calls.filter(({ call }) => call === 'commit').map(({ args }) => args[0] as StateChange[]);
  const scanned = async (id = ids[0]) => {
    const [progress] = await kept.kept.state.get('progress', [`${id}/0`]);
    return (progress!.value as { lanes: [number, number, number[]][] }).lanes[2]![0];
  };
  return { time, kept, bus, ids, commits, scanned };
}

describe('progress', () => {
  it('of all subscriptions becomes durable in one commit, about 100 ms after the first settlement', async () => {
    const { time, bus, ids, commits } = await servedWorld(['a', 'b', 'c']);
    await bus.publishMany(5);
    await time.advance(99);
    expect(commits()).toEqual([]);
    await time.advance(1);
    expect(commits().map((changes) => changes.map(({ key }) => key).sort())).toEqual([
      ids.map((id) => `${id}/0`).sort(),
    ]);
  });

  it('is not written while nothing happens', async () => {
    const { time, commits } = await servedWorld();
    await time.advance(60_000);
    expect(commits()).toEqual([]);
  });

  it('that is settled while a slow commit is under way follows in the next one', async () => {
    const { time, kept, bus, commits, scanned } = await servedWorld();
    kept.interfere = (call) => (call === 'commit' ? time.wait(250) : undefined);
    await bus.publishMany(1);
    await time.advance(150);
    await bus.publishMany(2);
    await time.advance(1_000);
    expect([commits().length, await scanned()]).toEqual([2, 4]);
  });

  it('that a full disk refused is tried again by itself, and says everything then', async () => {
    const { time, kept, bus, scanned } = await servedWorld();
    let refused = 0;
    kept.interfere = (call) => {
      if (call !== 'commit' || refused === 3) return;
      refused++;
      throw new EventManagerError('disk_full', 'The disk is full.');
    };
    await bus.publishMany(3);
    await time.advance(10_000);
    expect([refused, await scanned(), bus.engine.health().status]).toEqual([3, 4, 'ok']);
  });

  it('that a full disk refused while a retry waits for it: the retry is made once there is space, once', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    const attempts: number[] = [];
    await bus.subscribe({
      name: 's',
      handler: (_event, { attempt }) => {
        attempts.push(attempt);
        return { success: attempt > 1 };
      },
      options: { retryPolicy: fixedRetry(5, 300) },
    });
    await bus.publish();
    await time.advance(200);
    let isFull = true;
    kept.interfere = (call) => {
      if (call === 'commit' && isFull) throw new EventManagerError('disk_full', 'The disk is full.');
    };
    await time.advance(5_000);
    expect(attempts).toEqual([1]);
    isFull = false;
    await time.advance(1_000);
    expect(attempts).toEqual([1, 2]);
  });

  it('never skips a position: what is durable is at or below what was settled, at every commit', async () => {
    const { time, bus, commits } = await servedWorld();
    await bus.subscribe({
      name: 'slow',
      handler: async () => {
        await time.wait(30);
      },
      options: { maxConcurrency: 3 },
    });
    let settled = 0;
    for (let at = 0; at < 10; at++) {
      await bus.publishMany(5);
      await time.advance(70);
      const status = bus.engine.subscriptions.list({ id: 'x', kind: 'user' }).find(({ name }) => name === 'slow')!;
      settled = bus.status(status.id).counts.delivered;
      for (const changes of commits().splice(0)) {
        const change = changes.find(({ kind, key }) => kind === 'progress' && key === `${status.id}/0`);
        const lane = (change?.value as { lanes: [number, number, number[]][] } | undefined)?.lanes[2];
        // One event was there before this subscription.
        if (lane) expect(lane[0] - 1 + lane[2].length).toBeLessThanOrEqual(settled);
      }
    }
    expect(settled).toBeGreaterThan(20);
  });
});

describe('a lost lease', () => {
  it('ends service of its subscription alone; the progress of the others in the same commit is not lost', async () => {
    const { time, kept } = durableWorld();
    const bus = await openOn(kept.connect({ shared: true }), time, { owner: 'a' }, kept);
    const ids: string[] = [];
    for (const name of ['taken', 'kept']) ids.push((await bus.subscribe({ name, handler: () => {} })).id);
    await time.advance(500);
    expect(ids.map((id) => bus.engine.isServing(id))).toEqual([true, true]);
    // Somebody else serves it from here on: the same owner asking again gets a new lease, the old one is refused.
    await kept.kept.state.acquire([`subscription/${ids[0]}`], { owner: 'a', ttlMs: 1 });
    await bus.publish();
    await time.advance(400);
    expect(ids.map((id) => bus.engine.isServing(id))).toEqual([false, true]);
    const [progress] = await kept.kept.state.get('progress', [`${ids[1]}/0`]);
    expect((progress!.value as { lanes: number[][] }).lanes[2]![0]).toBe(1);
    expect(bus.engine.health().status).toBe('ok');
  });
});

it('tells whoever waits for a commit that was refused with the lease, also when nobody else has anything to commit', async () => {
  const time = new VirtualTime();
  const queue = { durable: true, dirty: true, snapshot: () => ({ changes: [{}] }), committed() {}, notCommitted() {} };
  const subscription = { isServing: true, lease: { resource: 'subscription/s' }, queue };
  const refused = () => Promise.reject(new EventManagerError('lease_lost', 'Lost.', { resources: ['subscription/s'] }));
  const checkpoint = new Checkpoint({
    state: { commit: refused } as unknown as StateStore,
    runtime: runtimeOn(time),
    routedHead: () => 0,
    onCommitted: () => {},
    onLeaseLost: (lost) => void (lost.isServing = false),
    onReplaced: () => expect.unreachable('nobody wrote its progress'),
    onFailure: (error) => expect.unreachable(String(error)),
  });
  const waiting = time.run(checkpoint.durable(subscription as unknown as ActiveSubscription));
  await expect(waiting).rejects.toMatchObject({ code: 'lease_lost' });
});

it('keeps nobody waiting for a full disk: not whoever releases a key, changes the subscription, or closes', async () => {
  const { time, kept, open } = durableWorld();
  const bus = await open();
  const { subscriptions } = bus.engine;
  const options = { order: 'topic', onFailure: 'park', retryPolicy: fixedRetry(0) } as const;
  const { id } = await bus.subscribe({ name: 's', options, handler: () => ({ success: false }) });
  await bus.publishMany(2);
  await time.advance(1_000);
  kept.interfere = (call) => {
    if (call === 'commit') throw new EventManagerError('disk_full', 'The disk is full.');
  };
  const refused = { code: 'disk_full' };
  await expect(time.run(subscriptions.keys.release(ANONYMOUS, id, 'order/created'))).rejects.toMatchObject(refused);
  await expect(time.run(subscriptions.pause(ANONYMOUS, id))).rejects.toMatchObject(refused);
  await expect(bus.close()).rejects.toMatchObject(refused);
});
