import { ANONYMOUS, memory } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { CountingFilter } from '../../src/schedule/counting-filter.ts';
import { KnownIds } from '../../src/schedule/known-ids.ts';
import { dueKey } from '../../src/schedule/schedule-record.ts';
import { anEvent, type EngineUnderTest, openMemory } from '../open-engine.ts';

const idOf = (n: number) => `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`;

async function known(isShared: boolean) {
  const time = new VirtualTime();
  const kept = memory({ runtime: { clock: time } });
  await kept.open();
  const counts: number[] = [];
  const { state } = kept;
  const fail = (error: unknown) => {
    throw error;
  };
  const ids = new KnownIds({
    state,
    timers: time.scope(),
    isShared,
    onCounted: (n) => void counts.push(n),
    onFailure: fail,
  });
  return { time, state, ids, counts };
}

describe('the ids of scheduled events', () => {
  /** Taken for unknown, an event under one of them would be stored beside the one that waits for its time. */
  it('are known all of them, although another process adds some that this one publishes', async () => {
    const { ids } = await known(true);
    const mine = Array.from({ length: 20_000 }, (_, n) => idOf(n));
    const mirror = new CountingFilter();
    for (const id of mine) {
      ids.add(id);
      mirror.add(id);
    }
    // Those of others that are taken for known by chance.
    const others = Array.from({ length: 300_000 }, (_, n) => idOf(1_000_000 + n)).filter((id) => mirror.mayHold(id));
    expect(others.length).toBeGreaterThan(0);
    for (const id of others) {
      ids.remove(id);
      mirror.remove(id);
    }
    expect(mine.filter((id) => !mirror.mayHold(id)).length).toBeGreaterThan(0);
    expect(mine.filter((id) => !ids.mayHold(id))).toEqual([]);
  });

  it('are counted anew after a while, and those that came meanwhile are known, too', async () => {
    const { time, state, ids, counts } = await known(true);
    for (let n = 0; n < 2_500; n += 500) {
      const changes = Array.from({ length: 500 }, (_, at) => idOf(n + at));
      await state.commit(changes.map((id) => ({ kind: 'schedule-due', key: dueKey(1_000, id), value: 1 })));
    }
    for (let n = 0; n < 100_000; n++) ids.add(idOf(500_000 + n));
    ids.add(idOf(7_000_000));
    await time.advance(1_000);
    expect(counts).toEqual([2_500]);
    for (let n = 0; n < 2_500; n++) expect(ids.mayHold(idOf(n))).toBe(true);
    expect(ids.mayHold(idOf(7_000_000))).toBe(true);
    // What is kept no more is forgotten.
    const left = Array.from({ length: 100_000 }, (_, n) => idOf(500_000 + n)).filter((id) => ids.mayHold(id));
    expect(left.length).toBeLessThan(100);
  });

  it('leave no trace once they are gone, in a process that has its store for itself', async () => {
    const { ids } = await known(false);
    for (let n = 0; n < 1_000; n++) ids.add(idOf(n));
    for (let n = 0; n < 1_000; n++) ids.remove(idOf(n));
    for (let n = 0; n < 1_000; n++) expect(ids.mayHold(idOf(n))).toBe(false);
  });
});

/** 176 ms and more of a bus with a hundred thousand of them, in which nothing else was done. */
it('lets others have a turn while many scheduled events are counted and listed', async () => {
  const bus = await openMemory({ limits: { scheduledMax: 20_000 } });
  for (let n = 0; n < 10_000; n += 500) {
    const inputs = Array.from({ length: 500 }, (_, at) => anEvent({ payload: { n: n + at }, delayMs: 60_000 }));
    await bus.time.run(bus.engine.publishBatch(ANONYMOUS, inputs));
  }
  const listing = turns(bus, () => 0);
  const all = await bus.time.run(bus.engine.schedule.all(ANONYMOUS));
  expect([all.length, listing.length >= 10]).toEqual([10_000, true]);
  // All of them are due at once, as after a time in which nobody was there.
  await bus.time.advance(58_000);
  const published: number[] = [];
  bus.time.scope().after(2_000, () => void turns(bus, () => bus.engine.schedule.counts.published, published));
  await bus.time.advance(20_000);
  expect([bus.engine.schedule.counts.published, new Set(published).size >= 20]).toEqual([10_000, true]);
  await bus.close();
});

/** What somebody else sees in a hundred turns of the event loop. */
function turns({ time }: EngineUnderTest, look: () => number, seen: number[] = []): number[] {
  const timers = time.scope();
  const turn = () => {
    seen.push(look());
    if (seen.length < 100) timers.soon(turn);
  };
  timers.soon(turn);
  return seen;
}
