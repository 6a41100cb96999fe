import { VirtualTime } from '@event-manager/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timetable } from '../../src/dispatch/timetable.ts';

function timetableOn(time: VirtualTime) {
  const timetable = new Timetable(time, time);
  const startMs = time.monotonicMs();
  const ran: number[] = [];
  const add = (afterMs: number) => {
    const dueAtMs = startMs + afterMs;
    timetable.add({ dueAtMs, due: () => ran.push(time.monotonicMs() - startMs) });
  };
  return { timetable, ran, add };
}

describe('the timetable', () => {
  it('runs each entry once, at its time, whatever the order of adding', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 40 }), async (delays) => {
        const time = new VirtualTime();
        const { timetable, ran, add } = timetableOn(time);
        for (const afterMs of delays) add(afterMs);
        await time.runUntilIdle();
        expect(ran).toEqual([...delays].sort((a, b) => a - b));
        expect(timetable.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the order of adding among entries that are due at the same time', async () => {
    const time = new VirtualTime();
    const timetable = new Timetable(time, time);
    const ran: number[] = [];
    for (let n = 0; n < 100; n++) timetable.add({ dueAtMs: time.monotonicMs() + 5, due: () => ran.push(n) });
    await time.runUntilIdle();
    expect(ran).toEqual(ran.toSorted((a, b) => a - b));
  });

  it('needs a single timer, however many entries wait', () => {
    const time = new VirtualTime();
    const { add } = timetableOn(time);
    for (let n = 10_000; n > 0; n--) add(n);
    expect(time.pending).toBe(1);
  });

  it('takes entries that an entry adds while it runs, also when they are due at once', async () => {
    const time = new VirtualTime();
    const { timetable, ran, add } = timetableOn(time);
    timetable.add({
      dueAtMs: time.monotonicMs() + 10,
      due: () => {
        add(10);
        add(15);
      },
    });
    await time.runUntilIdle();
    expect(ran).toEqual([10, 15]);
  });

  it('forgets what is removed, and runs everything else at its time', async () => {
    const entry = fc.record({ afterMs: fc.integer({ min: 1, max: 500 }), removed: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 60 }), async (planned) => {
        const time = new VirtualTime();
        const timetable = new Timetable(time, time);
        const startMs = time.monotonicMs();
        const ran: number[] = [];
        const entries = planned.map(({ afterMs }) => ({ dueAtMs: startMs + afterMs, due: () => ran.push(afterMs) }));
        for (const each of entries) timetable.add(each);
        planned.forEach(({ removed }, at) => {
          if (removed) timetable.remove(entries[at]!);
        });
        const kept = planned.filter(({ removed }) => !removed).map(({ afterMs }) => afterMs);
        expect(timetable.size).toBe(kept.length);
        await time.runUntilIdle();
        expect(ran).toEqual(kept.sort((a, b) => a - b));
      }),
      { numRuns: 100 },
    );
  });

  it('runs nothing any more once it is cleared, and can be used again', async () => {
    const time = new VirtualTime();
    const { timetable, ran, add } = timetableOn(time);
    add(5);
    timetable.clear();
    await time.advance(10);
    expect([ran, time.pending]).toEqual([[], 0]);
    add(20);
    await time.runUntilIdle();
    expect(ran).toEqual([20]);
  });
});
