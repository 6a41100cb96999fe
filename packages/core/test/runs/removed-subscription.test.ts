import { ANONYMOUS } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/runs/run.ts';
import { durableWorld, type EngineUnderTest, openMemory } from '../open-engine.ts';
import { SeveralEngines } from '../several-engines.ts';
import { discard, ended, redrive, redriveWorld } from './redrive/redrive-world.ts';

const get = (bus: EngineUnderTest, { id }: Run) => bus.time.run(bus.engine.runs.get(ANONYMOUS, id));
const remove = (bus: EngineUnderTest, id: string) => bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
const replay = (bus: EngineUnderTest, request: object) =>
  bus.time.run(bus.engine.runs.start(ANONYMOUS, 'replay', { all: true, ...request }));

/** Ten events were delivered, and three of them once more. */
async function replayHalfWay(bus: EngineUnderTest, name?: string) {
  const seen: number[] = [];
  const handler = ({ payload }: { readonly payload: Readonly<Record<string, unknown>> }) =>
    void seen.push(payload['n'] as number);
  const subscribe = () => bus.subscribe({ topic: 'order.*', handler, ...(name === undefined ? {} : { name }) });
  const { id } = await subscribe();
  await bus.publishMany(10);
  await bus.settled();
  const run = await replay(bus, { speed: 10 });
  while ((await get(bus, run)).counts.done < 3) await bus.time.advance(10);
  return { id, run, seen, subscribe };
}

describe('a run whose subscription is removed half-way', () => {
  it('has failed, and says how far it was', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id, run } = await replayHalfWay(bus, 'orders');
    await remove(bus, id);
    const over = await get(bus, run);
    expect(over.state).toBe('failed');
    expect(over.parts).toMatchObject([{ state: 'gone', counts: { total: 10, done: 3 }, endedAtMs: bus.time.wallMs() }]);
    expect(over.endedAtMs).toBe(bus.time.wallMs());
  });

  it('is not taken up by a subscription of the same name', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id, run, seen, subscribe } = await replayHalfWay(bus, 'orders');
    await remove(bus, id);
    const before = await get(bus, run);
    expect((await subscribe()).id).toBe(id);
    await bus.time.advance(60_000);
    expect(seen).toHaveLength(13);
    expect(await get(bus, run)).toEqual(before);
  });

  it('counts also what no record says, where the subscription has no name', async () => {
    for (const leave of ['unsubscribe', 'detach'] as const) {
      const bus = await openMemory({ systemEvents: true });
      const told: unknown[] = [];
      await bus.subscribe({ topic: '$sys/run/ended', handler: ({ payload }) => void told.push(payload) });
      const { id, run } = await replayHalfWay(bus);
      await bus.time.run(bus.engine.subscriptions[leave](ANONYMOUS, id));
      const over = await get(bus, run);
      expect([over.state, over.counts.done, over.parts[0]!.state]).toEqual(['failed', 3, 'gone']);
      // Ends are told together.
      await bus.time.advance(1_000);
      expect(told).toHaveLength(1);
    }
  });

  it('has failed also where another process serves it', async () => {
    for (const kind of ['replay', 'redrive'] as const) {
      const engines = await SeveralEngines.of(2);
      const [a, b] = engines.all as [EngineUnderTest, EngineUnderTest];
      const handler = () => ({ success: kind === 'replay', retry: false });
      const { id } = await a.subscribe({ name: 's', handler });
      await engines.time.advance(3_000);
      await a.publishMany(60);
      await engines.time.advance(5_000);
      const run = kind === 'replay' ? await replay(b, { speed: 10 }) : await redrive(b, { all: true, rate: 10 });
      while ((await get(a, run)).counts.done < 5) await engines.time.advance(50);
      await remove(b, id);
      await engines.time.advance(5_000);
      for (const bus of [a, b]) {
        const over = await get(bus, run);
        expect([over.state, over.parts[0]!.state]).toEqual(['failed', 'gone']);
        expect(over.counts.done).toBeGreaterThan(0);
      }
      await engines.close();
    }
  });

  it('has failed also when it redrives letters', async () => {
    const { receiver, start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(20);
    await bus.settled();
    receiver.isWell = true;
    const run = await redrive(bus, { all: true, rate: 10 });
    while ((await get(bus, run)).counts.done < 5) await bus.time.advance(10);
    const { done } = (await get(bus, run)).counts;
    await remove(bus, bus.engine.subscriptions.list(ANONYMOUS)[0]!.id);
    expect(await get(bus, run)).toMatchObject({ state: 'failed', counts: { total: 20, done } });
  });

  it('keeps what it did when it was over before', async () => {
    const { receiver, start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(4);
    await bus.settled();
    receiver.isWell = true;
    const run = await ended(bus, await redrive(bus, { all: true }));
    await remove(bus, bus.engine.subscriptions.list(ANONYMOUS)[0]!.id);
    expect(await get(bus, run)).toEqual(run);
    expect([run.state, run.counts.done]).toEqual(['done', 4]);
  });

  it('is none when it was removed before anybody asked: its letters are skipped', async () => {
    const { receiver, start } = redriveWorld();
    const bus = await start();
    await bus.subscribe({ name: 'other', handler: () => ({ success: false, retry: false }) });
    await bus.publishMany(2);
    await bus.settled();
    const other = bus.engine.subscriptions.list(ANONYMOUS).find(({ name }) => name === 'other')!;
    await remove(bus, other.id);
    receiver.isWell = true;
    const run = await ended(bus, await redrive(bus, { all: true }));
    expect([run.state, run.counts]).toEqual(['done', { total: 4, done: 2, failed: 0, skipped: 2 }]);
    expect(run.parts.find((part) => part.subscriptionId === other.id)?.skippedFor).toEqual({ subscription_removed: 2 });
    expect((await discard(bus, { subscription: 'other' })).counts.done).toBe(2);
  });
});
