import { ANONYMOUS, type EventIn } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, openOn } from '../open-engine.ts';

const SECOND = 1_000;
const id = '0198c0de-0000-7000-8000-000000000001';

const later = (delayMs: number, n = 1): EventIn => anEvent({ id, payload: { n }, delayMs });

/** What was looked up before the cancellation must not be taken for what was scheduled afterwards. */
it('publishes an event that was cancelled and scheduled anew at its new time alone', async () => {
  const { time, kept, open } = durableWorld();
  const first = await open();
  await first.publish(later(10 * SECOND));
  first.crash();
  const { state } = kept.kept;
  const load = state.load.bind(state);
  // Pages that take their time, and show a moment that is over by then.
  state.load = async (kind, options) => {
    const page = await load(kind, options);
    if (kind === 'schedule-due') await time.wait(200);
    return page;
  };
  const bus = await open();
  const got: unknown[] = [];
  await bus.subscribe({ handler: ({ payload }) => void got.push(payload['n']) });
  expect(await time.run(bus.engine.schedule.cancel(ANONYMOUS, id))).toBe(true);
  await bus.publish(later(60 * SECOND, 2));
  await time.advance(50 * SECOND);
  expect([got, bus.engine.schedule.counts]).toMatchObject([[], { waiting: 1, published: 0 }]);
  await time.advance(15 * SECOND);
  expect([got, bus.engine.schedule.counts]).toMatchObject([[2], { waiting: 0, published: 1 }]);
  for (const kind of ['schedule-due', 'schedule-event'] as const)
    expect((await load(kind, { limit: 9 })).entries).toEqual([]);
  await bus.close();
});

it('publishes it at its new time also where another process scheduled it anew', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    // From long before its time, when no stall makes it too late, until after it.
    const cancelledAfterMs = (seed % 20) * 260;
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(seed), stallShare: 0.3, stallMs: 500 });
    const a = await openOn(shared.connect(), time, { owner: 'a' });
    const b = await openOn(shared.connect(), time, { owner: 'b' });
    await b.publish(later(5 * SECOND));
    await time.advance(cancelledAfterMs);
    const isInTime = await time.run(b.engine.schedule.cancel(ANONYMOUS, id));
    if (cancelledAfterMs < SECOND) expect(isInTime, `seed ${seed}`).toBe(true);
    if (isInTime) await b.publish(later(60 * SECOND, 2));
    await time.advance(50 * SECOND);
    const head = async () => (await shared.kept.store.bounds())[0]!.head;
    expect(await head(), `seed ${seed}`).toBe(isInTime ? 0 : 1);
    await time.advance(30 * SECOND);
    expect(await head(), `seed ${seed}`).toBe(1);
    expect((await shared.kept.state.load('schedule-due', { limit: 9 })).entries).toEqual([]);
    await time.run(Promise.all([a.engine.close(), b.engine.close()]));
  }
});

/** Found neither in the log nor among what waits, it would be taken for new, and another content under its id with it. */
it('knows an id while it goes from what waits into the log', async () => {
  for (let offsetMs = -80; offsetMs <= 80; offsetMs += 4) {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    await bus.publish(later(5 * SECOND));
    kept.interfere = (call, [kind]) => {
      if (call === 'get') return time.wait(kind === 'schedule-event' ? 60 : 10);
      if (call === 'append' || call === 'commit') return time.wait(10);
      return undefined;
    };
    await time.advance(5 * SECOND + offsetMs);
    const other = later(60 * SECOND, 2);
    await expect(bus.publish(other), `${offsetMs} ms after its time`).rejects.toMatchObject({ code: 'id_conflict' });
    kept.interfere = () => {};
    await bus.close();
  }
});
