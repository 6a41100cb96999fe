import { ANONYMOUS, Engine, type Event } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { anEvent, runtimeOn } from '../open-engine.ts';

const MINUTE = 60_000;

async function twoProcesses(seed: number, stallShare = 0.05) {
  const time = new VirtualTime();
  const shared = new SimulatedShared({ time, chance: new SeededChance(seed), stallShare });
  const open = async (owner: string) => {
    const adapter = shared.connect();
    const timers = time.scope();
    const engine = await time.run(Engine.open({ adapter, owner, runtime: runtimeOn(time, timers) }));
    const crash = () => {
      timers.end();
      adapter.crash();
    };
    return { engine, crash };
  };
  return { time, shared, open };
}

it('appends each event once although two processes could, and whoever is left takes over', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { time, shared, open } = await twoProcesses(seed);
    const a = await open('a');
    const b = await open('b');
    const got: string[] = [];
    const handler = (event: Event) => void got.push(event.id);
    await time.run(b.engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', name: 'reader', handler }));
    const ids: string[] = [];
    for (let n = 0; n < 40; n++) {
      const event = anEvent({ payload: { n }, delayMs: 10_000 + n * 500 });
      ids.push((await time.run((n % 2 ? a : b).engine.publish(ANONYMOUS, event))).id);
    }
    await time.advance(15_000);
    a.crash();
    await time.advance(2 * MINUTE);
    expect([...new Set(got)].sort(), `seed ${seed}`).toEqual(ids.toSorted());
    const { records } = await shared.kept.store.read(0, 0, { limit: 1_000, bytesMax: 1e9 });
    expect(records.map(({ id }) => id).sort()).toEqual(ids.toSorted());
    expect((await shared.kept.state.load('schedule-due', { limit: 10 })).entries).toEqual([]);
    expect((await shared.kept.state.load('schedule-event', { limit: 10 })).entries).toEqual([]);
    await time.run(b.engine.close());
  }
});

it('decides between a cancellation in one process and publishing in another', async () => {
  let late = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const { time, shared, open } = await twoProcesses(seed);
    const a = await open('a');
    const b = await open('b');
    const { id } = await time.run(a.engine.publish(ANONYMOUS, anEvent({ delayMs: 5_000 })));
    await time.advance(4_985 + (seed % 30) * 40);
    const inTime = await time.run(b.engine.schedule.cancel(ANONYMOUS, id));
    await time.advance(MINUTE);
    const { records } = await shared.kept.store.read(0, 0, { limit: 10, bytesMax: 1e9 });
    expect(records.length, `seed ${seed}`).toBe(inTime ? 0 : 1);
    if (!inTime) late++;
    await time.run(Promise.all([a.engine.close(), b.engine.close()]));
  }
  expect(late).toBeGreaterThan(3);
  expect(late).toBeLessThan(40);
});

it('answers a cancellation also when it alone is left to append what another process had begun', async () => {
  // Without stalls: an answer that takes longer than the delay would find the event appended already.
  const { time, shared, open } = await twoProcesses(1, 0);
  const { engine } = await open('b');
  const { id } = await time.run(engine.publish(ANONYMOUS, anEvent({ delayMs: 5_000 })));
  // Another process took the lease, said that it begins, and died.
  const other = shared.connect();
  await time.run(other.open());
  await time.run(other.state.acquire(['schedule'], { owner: 'a', ttlMs: 10_000 }));
  const [kept] = await time.run(other.state.get('schedule-event', [id]));
  const value = { ...(kept!.value as object), begun: true };
  await time.run(other.state.commit([{ kind: 'schedule-event', key: id, value }]));
  await time.advance(5_100);
  const inTime = await time.run(engine.schedule.cancel(ANONYMOUS, id), MINUTE);
  const { records } = await shared.kept.store.read(0, 0, { limit: 10, bytesMax: 1e9 });
  expect([inTime, records.length]).toEqual([false, 1]);
  await time.run(engine.close());
});
