import { ANONYMOUS, type EventHandler } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry, openMemory } from '../open-engine.ts';
import { ended, redrive, redriveWorld } from '../runs/redrive/redrive-world.ts';
import { SeveralEngines } from '../several-engines.ts';

const reset = (bus: EngineUnderTest, id: string, to: unknown) =>
  bus.time.run(bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to, note: 'why' }));

function recorder(fails: (n: number, attempt: number) => boolean = () => false) {
  const seen: string[] = [];
  const handler: EventHandler = (event, { attempt }) => {
    const n = event.payload['n'] as number;
    seen.push(`${n}#${attempt}`);
    return fails(n, attempt) ? { success: false } : undefined;
  };
  return { seen, handler };
}

describe('a reset', () => {
  it('delivers again, at attempt 1, what follows the beginning, a time or a cursor', async () => {
    const bus = await openMemory({ systemEvents: true });
    const { seen, handler } = recorder();
    const told: unknown[] = [];
    await bus.subscribe({ topic: '$sys/subscription/reset', handler: ({ payload }) => void told.push(payload) });
    const { id } = await bus.subscribe({ topic: '#', name: 's', handler });
    await bus.publishMany(2);
    await bus.time.advance(1_000);
    const midMs = bus.time.wallMs();
    const { cursor } = await bus.publish({ payload: { n: 3 } });
    await bus.publishMany(1, 4);
    await bus.settled();
    seen.length = 0;
    const { dropped, by, note } = await reset(bus, id, 'earliest');
    expect([dropped, by, note]).toEqual([0, 'anonymous', 'why']);
    await bus.settled();
    expect(seen.splice(0)).toEqual(['1#1', '2#1', '3#1', '4#1']);
    await reset(bus, id, new Date(midMs));
    await bus.settled();
    expect(seen.splice(0)).toEqual(['3#1', '4#1']);
    await reset(bus, id, cursor);
    await bus.settled();
    expect(seen).toEqual(['4#1']);
    expect(told[0]).toMatchObject({ subscriptionId: id, by: 'anonymous', note: 'why' });
  });

  it('drops what waits for a retry, and what lies before the end when it goes there', async () => {
    const bus = await openMemory();
    const { seen, handler } = recorder((n) => n === 2);
    const options = { retryPolicy: fixedRetry(5, 60_000) };
    const { id } = await bus.subscribe({ topic: '#', name: 's', handler, options });
    await bus.publishMany(3);
    await bus.time.advance(1_000);
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.publishMany(3, 4);
    expect((await reset(bus, id, 'latest')).dropped).toBe(1);
    await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.publishMany(1, 7);
    await bus.settled();
    await bus.time.advance(120_000);
    expect(seen).toEqual(['1#1', '2#1', '3#1', '7#1']);
  });

  it('is there after a crash', async () => {
    const world = durableWorld();
    const { seen, handler } = recorder();
    const first = await world.open();
    const { id } = await first.subscribe({ topic: '#', name: 's', handler });
    await first.publishMany(3);
    await first.settled();
    await first.time.run(first.engine.subscriptions.detach(ANONYMOUS, id));
    // Nobody serves it now.
    await reset(first, id, 'earliest');
    first.crash();
    seen.length = 0;
    const second = await world.open();
    await second.subscribe({ topic: '#', name: 's', handler });
    await second.settled();
    expect(seen).toEqual(['1#1', '2#1', '3#1']);
    await second.close();
  });

  it('opens the letters again whose redriven debts it drops, also where the log has lost their events', async () => {
    const { handed, receiver, start, kept } = redriveWorld({ retryPolicy: fixedRetry(5, 60_000) });
    const bus = await start();
    await bus.publishMany(2);
    await bus.settled();
    const { id } = await redrive(bus, { all: true });
    // The first dies once more, the second waits for its retry.
    receiver.answer = ({ payload }) => ({ success: false, retry: payload['n'] === 2 });
    await ended(bus, await bus.time.run(bus.engine.runs.get(ANONYMOUS, id)));
    await bus.time.advance(1_000);
    const before = await bus.deadLetters();
    expect(before.map(({ round, state }) => `${round} ${state}`)).toEqual(['0 redriven', '1 open', '0 redriven']);
    const { dropped } = await reset(bus, before[0]!.subscriptionId, 'latest');
    const [log] = await bus.time.run(kept.kept.store.bounds());
    await bus.time.run(kept.kept.store.trim([{ partition: 0, position: log!.head }]));
    const after = await bus.deadLetters();
    expect(dropped).toBe(1);
    expect(after.map(({ round, state }) => `${round} ${state}`)).toEqual(['0 redriven', '1 open', '0 open']);
    expect(after[2]).not.toHaveProperty('closed');
    receiver.answer = undefined;
    receiver.isWell = true;
    handed.length = 0;
    const again = await ended(bus, await redrive(bus, { ids: [after[2]!.id] }));
    await bus.settled();
    expect(again.counts).toMatchObject({ done: 1, skipped: 0 });
    expect(handed.map(({ n }) => n)).toEqual([2]);
    await bus.close();
  });

  it('is refused for what ends with its process, without a place, and inside its own handler', async () => {
    const bus = await openMemory();
    const { id: ephemeral } = await bus.subscribe({ topic: '#', handler: () => undefined });
    await expect(reset(bus, ephemeral, 'earliest')).rejects.toMatchObject({ code: 'not_supported' });
    let refused: unknown;
    const { id } = await bus.subscribe({
      ...{ topic: '#', name: 's' },
      handler: async () => {
        refused = await bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'latest' }).catch((e) => e);
      },
    });
    await expect(reset(bus, id, undefined)).rejects.toMatchObject({ code: 'invalid_run' });
    await bus.publishMany(1);
    await bus.settled();
    expect(refused).toMatchObject({ code: 'not_supported' });
  });

  it('is done by the process that serves it, whichever is asked, and by the one that is asked where none does', async () => {
    const engines = await SeveralEngines.of(2);
    const { seen, handler } = recorder();
    const [first, second] = engines.all as [EngineUnderTest, EngineUnderTest];
    const { id } = await first.subscribe({ topic: '#', name: 's', handler });
    await engines.time.advance(2_000);
    await first.publishMany(3);
    await engines.time.advance(2_000);
    seen.length = 0;
    expect((await reset(second, id, 'earliest')).id).toBe(id);
    await engines.time.advance(2_000);
    expect(seen.splice(0)).toEqual(['1#1', '2#1', '3#1']);
    await engines.time.run(first.engine.subscriptions.detach(ANONYMOUS, id));
    await engines.time.advance(2_000);
    await reset(second, id, 'earliest');
    await second.subscribe({ topic: '#', name: 's', handler });
    await engines.time.advance(10_000);
    expect(seen).toEqual(['1#1', '2#1', '3#1']);
    await engines.close();
  });
});
