import { EventManagerError, type MemoryAdapter, memory } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { type HeldLease, LeaseKeeper } from '../../src/dispatch/leases.ts';
import { runtimeOn } from '../open-engine.ts';

async function shared() {
  const time = new VirtualTime();
  const adapter = memory({ runtime: { clock: time } });
  await adapter.open();
  return { time, adapter };
}

function keeperOf(owner: string, { time, adapter }: { time: VirtualTime; adapter: MemoryAdapter }) {
  const log: string[] = [];
  const held = new Map<string, HeldLease>();
  const timers = time.scope();
  const fails = { acquiring: false, looking: false };
  const failures: unknown[] = [];
  const keeper = new LeaseKeeper({
    state: adapter.state,
    runtime: runtimeOn(time, timers),
    owner,
    wanted: async () => {
      if (fails.looking) throw new TypeError('a mistake');
      return [{ id: 's', best: 'here' }];
    },
    room: () => 1,
    isNext: () => true,
    onPrepare: async () => {},
    onAcquired: async (id, lease) => {
      if (fails.acquiring) throw new EventManagerError('disk_full', 'The disk is full.');
      held.set(id, lease);
      log.push(`${owner} serves ${id}`);
      return true;
    },
    onLost: async (id) => {
      log.push(`${owner} lost ${id}`);
    },
    onRevived: (id) => log.push(`${owner} goes on with ${id}`),
    onLooked: () => {},
    onFailure: (error) => failures.push(error),
  });
  return { keeper, log, held, fails, failures, die: () => timers.end() };
}

describe('leases of subscriptions', () => {
  it('let one process serve, however many ask', async () => {
    const world = await shared();
    const [a, b] = [keeperOf('a', world), keeperOf('b', world)];
    a.keeper.poke();
    b.keeper.poke();
    await world.time.advance(60_000);
    expect([...a.log, ...b.log]).toEqual(['a serves s']);
  });

  it('are renewed before they run out', async () => {
    const world = await shared();
    const { keeper, held } = keeperOf('a', world);
    keeper.poke();
    for (let look = 0; look < 20; look++) {
      await world.time.advance(1_000);
      expect(held.get('s')!.expiresAtMs).toBeGreaterThan(world.time.monotonicMs());
    }
    await world.time.run(keeper.stop());
  });

  it('pass on within ten seconds of the death of their holder', async () => {
    const world = await shared();
    const [a, b] = [keeperOf('a', world), keeperOf('b', world)];
    a.keeper.poke();
    b.keeper.poke();
    await world.time.advance(1_000);
    a.die();
    await world.time.advance(10_000);
    expect(b.log).toEqual(['b serves s']);
  });

  it('pass on at once when they are given back', async () => {
    const world = await shared();
    const [a, b] = [keeperOf('a', world), keeperOf('b', world)];
    a.keeper.poke();
    await world.time.settle();
    await a.keeper.stop();
    await a.keeper.release('s');
    b.keeper.poke();
    await world.time.settle();
    expect(b.log).toEqual(['b serves s']);
  });

  it('are lost when the store refuses to renew them', async () => {
    const world = await shared();
    const { keeper, log } = keeperOf('a', world);
    keeper.poke();
    await world.time.settle();
    await world.adapter.state.acquire(['subscription/s'], { owner: 'a', ttlMs: 1 });
    await world.time.advance(2_500);
    expect(log.slice(0, 2)).toEqual(['a serves s', 'a lost s']);
    await world.time.run(keeper.stop());
  });

  it('that ran out by the own clock while their renewal was under way are told of when they are held again', async () => {
    const world = await shared();
    const { keeper, log } = keeperOf('a', world);
    keeper.poke();
    await world.time.settle();
    const renew = world.adapter.state.renew.bind(world.adapter.state);
    world.adapter.state.renew = async (leases, options) => {
      const lost = await renew(leases, options);
      await world.time.wait(5_000);
      return lost;
    };
    await world.time.advance(7_500);
    // Whoever was woken in between found no lease, and nobody else would wake it.
    expect(log).toEqual(['a serves s', 'a goes on with s']);
    keeper.stop();
  });

  it('are given back when serving fails, so that the subscription is not held by one who does not serve it', async () => {
    const world = await shared();
    const [a, b] = [keeperOf('a', world), keeperOf('b', world)];
    a.fails.acquiring = true;
    a.keeper.poke();
    await world.time.settle();
    b.keeper.poke();
    await world.time.settle();
    expect(b.log).toEqual(['b serves s']);
    await world.time.run(Promise.all([a.keeper.stop(), b.keeper.stop()]));
  });

  it('do not hide a programming mistake behind a store that is away', async () => {
    const world = await shared();
    const { keeper, fails, failures } = keeperOf('a', world);
    fails.looking = true;
    keeper.poke();
    await world.time.settle();
    expect(failures).toEqual([new TypeError('a mistake')]);
    await world.time.run(keeper.stop());
  });

  it('end by the own clock while the store is away', async () => {
    const world = await shared();
    const { keeper, log } = keeperOf('a', world);
    keeper.poke();
    await world.time.settle();
    await world.adapter.close();
    await world.time.advance(10_000);
    expect(log).toEqual(['a serves s', 'a lost s']);
    await world.time.run(keeper.stop());
  });
});
