import { ANONYMOUS, type Event, type EventIn } from '@event-manager/core';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, openMemory } from '../open-engine.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ID = '0198c0de-0000-7000-8000-00000000000';

/** A named subscription that writes down what it gets, and when. */
async function receiver(under: EngineUnderTest, request: object = {}) {
  const got: { id: string; atMs: number }[] = [];
  const handler = (event: Event) => {
    got.push({ id: event.id, atMs: under.time.monotonicMs() });
  };
  await under.subscribe({ name: 'receiver', handler, ...request });
  return got;
}

function publish(under: EngineUnderTest, event: Partial<EventIn>) {
  return under.time.run(under.engine.publish(ANONYMOUS, anEvent(event)));
}

const list = (under: EngineUnderTest) => under.time.run(under.engine.schedule.all(ANONYMOUS));
const cancel = (under: EngineUnderTest, id: string) => under.time.run(under.engine.schedule.cancel(ANONYMOUS, id));

it('delivers an event when its time has come, under the id it was accepted with, and not before', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  const startMs = under.time.monotonicMs();
  const result = await publish(under, { delayMs: HOUR, payload: { n: 1 } });
  expect(result.duplicate).toBe(false);
  expect(Date.parse(result.scheduledFor!) - under.time.wallMs()).toBe(HOUR);
  expect(await list(under)).toMatchObject([{ id: result.id, topic: 'order/created', priority: 'NORMAL' }]);
  await under.settled();
  await under.time.advance(HOUR - 1);
  expect(got).toEqual([]);
  await under.time.advance(1);
  await under.settled();
  expect(got).toEqual([{ id: result.id, atMs: startMs + HOUR }]);
  expect(await list(under)).toEqual([]);
  expect(under.engine.schedule.counts).toMatchObject({ waiting: 0, accepted: 1, published: 1 });
  await under.close();
});

it('publishes at once what was due in the past, and what is due now', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  const past = await publish(under, { deliverAt: new Date(under.time.wallMs() - 1) });
  const now = await publish(under, { delayMs: 0 });
  expect([past.scheduledFor, now.scheduledFor]).toEqual([undefined, undefined]);
  expect(got.map(({ id }) => id)).toEqual([past.id, now.id]);
  await under.close();
});

it('takes the time of delivery out of the metadata as well, and stores it in neither place', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  const { id } = await publish(under, { metadata: { deliver_at: new Date(under.time.wallMs() + MINUTE), mine: 1 } });
  const { event } = await under.time.run(under.engine.schedule.get(ANONYMOUS, id));
  expect(event.metadata).toEqual({ tags: [], retryCount: 0, maxRetries: 3, mine: 1 });
  await under.time.advance(MINUTE);
  expect(got).toHaveLength(1);
  await under.close();
});

it.each([
  [{ deliverAt: 'tomorrow' }, '/deliverAt'],
  [{ delayMs: -1 }, '/delayMs'],
  [{ delayMs: 0.5 }, '/delayMs'],
  [{ delayMs: 1, deliverAt: 5 }, '/delayMs'],
  [{ delayMs: 1, metadata: { deliverAt: 5 } }, '/metadata/deliverAt'],
  [{ metadata: { delay_ms: 'soon' } }, '/metadata/delayMs'],
])('refuses %j', async (given, pointer) => {
  const under = await openMemory();
  const refused = publish(under, given as Partial<EventIn>);
  await expect(refused).rejects.toMatchObject({ code: 'invalid_event', details: { pointer } });
  await under.close();
});

it('answers a repetition before the time as a duplicate, and other content under the id as a conflict', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  const id = `${ID}1`;
  const first = await publish(under, { id, delayMs: HOUR });
  await under.time.advance(MINUTE);
  const again = await publish(under, { id, delayMs: HOUR });
  expect(again).toMatchObject({ id, duplicate: true, scheduledFor: first.scheduledFor });
  expect(await publish(under, { id })).toMatchObject({ duplicate: true, scheduledFor: first.scheduledFor });
  for (const event of [
    { id, payload: { other: 1 } },
    { id, payload: { other: 1 }, delayMs: 5 },
  ]) {
    await expect(publish(under, event)).rejects.toMatchObject({ code: 'id_conflict' });
  }
  await under.time.advance(HOUR);
  expect(got.map((entry) => entry.id)).toEqual([id]);
  const late = await publish(under, { id, delayMs: HOUR });
  expect(late.duplicate).toBe(true);
  expect(late.scheduledFor).toBeUndefined();
  await under.close();
});

it('takes only one of two that are handed in together under one id, whether or not both are for later', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  const inputs = [
    anEvent({ id: `${ID}1`, delayMs: 5 }),
    anEvent({ id: `${ID}1`, delayMs: 9 }),
    anEvent({ id: `${ID}2` }),
    anEvent({ id: `${ID}2`, delayMs: 9 }),
    anEvent({ id: `${ID}3`, delayMs: 9 }),
    anEvent({ id: `${ID}3` }),
    anEvent({ delayMs: -1 }),
  ];
  const results = await under.time.run(under.engine.publishBatch(ANONYMOUS, inputs));
  expect(results.map((result) => (result instanceof Error ? result.code : result.duplicate))).toEqual([
    ...[false, true, false, true, false, true],
    'invalid_event',
  ]);
  await under.time.advance(MINUTE);
  expect(got.map(({ id }) => id).sort()).toEqual([`${ID}1`, `${ID}2`, `${ID}3`]);
  await under.close();
});

it('cancels in time, and says when it is too late or nothing is known', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  const { id } = await publish(under, { delayMs: HOUR });
  expect(await cancel(under, id.toUpperCase())).toBe(true);
  await expect(cancel(under, id)).rejects.toMatchObject({ code: 'scheduled_not_found' });
  await expect(cancel(under, 'nonsense')).rejects.toMatchObject({ code: 'scheduled_not_found' });
  await under.time.advance(2 * HOUR);
  expect(got).toEqual([]);
  // The id is free again.
  await publish(under, { id, delayMs: MINUTE, payload: { other: true } });
  await under.time.advance(MINUTE);
  expect(got.map((entry) => entry.id)).toEqual([id]);
  expect(await cancel(under, id)).toBe(false);
  await under.close();
});

/** Whoever has got it would see it wait still. */
it('shows nothing of an event that is delivered, though what was kept of it is not forgotten yet', async () => {
  const { kept, open } = durableWorld();
  const under = await open();
  const got = await receiver(under);
  const { id } = await publish(under, { delayMs: HOUR });
  const forgetting = Promise.withResolvers<void>();
  kept.interfere = (call, [changes]) => {
    const isForgetting = call === 'commit' && (changes as readonly { kind: string }[])[0]?.kind === 'schedule-event';
    return isForgetting ? forgetting.promise : undefined;
  };
  await under.time.advance(HOUR);
  expect(got).toMatchObject([{ id }]);
  expect((await kept.kept.state.load('schedule-due', { limit: 9 })).entries).toHaveLength(1);
  expect(await list(under)).toEqual([]);
  const one = under.time.run(under.engine.schedule.get(ANONYMOUS, id));
  await expect(one).rejects.toMatchObject({ code: 'scheduled_not_found' });
  forgetting.resolve();
  await under.close();
});

it('forgets an event that expires before its time, and counts it', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  await publish(under, { delayMs: HOUR, metadata: { expiresAt: new Date(under.time.wallMs() + MINUTE) } });
  await under.time.advance(2 * HOUR);
  expect(got).toEqual([]);
  expect(under.engine.schedule.counts).toMatchObject({ waiting: 0, expired: 1, published: 0 });
  await under.close();
});

it('keeps what was acknowledged through a crash, and delivers what came due while nobody was there', async () => {
  const world = durableWorld();
  let under = await world.open();
  const early = await publish(under, { delayMs: MINUTE });
  const late = await publish(under, { delayMs: HOUR });
  under.crash();
  await world.time.advance(2 * MINUTE);
  under = await world.open();
  const got = await receiver(under, { options: { startFrom: 'earliest' } });
  await under.settled();
  expect(got.map(({ id }) => id)).toEqual([early.id]);
  await world.time.advance(HOUR);
  expect(got.map(({ id }) => id)).toEqual([early.id, late.id]);
  await under.close();
});

it('waits by the monotonic clock, whatever happens to the wall clock, and begins anew by the wall clock', async () => {
  const world = durableWorld();
  let under = await world.open();
  const got = await receiver(under);
  const ids = [];
  for (const delayMs of [MINUTE, 2 * MINUTE]) ids.push((await publish(under, { delayMs })).id);
  world.time.jumpWall(-HOUR);
  await world.time.advance(MINUTE);
  expect(got.map(({ id }) => id)).toEqual([ids[0]]);
  world.time.jumpWall(3 * HOUR);
  await world.time.advance(MINUTE - 1);
  expect(got).toHaveLength(1);
  await world.time.advance(1);
  expect(got.map(({ id }) => id)).toEqual(ids);
  await publish(under, { delayMs: HOUR });
  await under.close();
  world.time.jumpWall(HOUR);
  under = await world.open();
  const later = await receiver(under);
  await under.settled();
  expect(later).toHaveLength(1);
  await under.close();
});

it('appends once what a crash found appended and not yet forgotten', async () => {
  const world = durableWorld();
  let isArmed = false;
  let crashed: (() => void) | undefined;
  const failpoint = (name: string) => {
    if (isArmed && name === 'schedule.before-removal') crashed?.();
  };
  let under = await world.open({ failpoint });
  crashed = () => under.crash();
  isArmed = true;
  const { id } = await publish(under, { delayMs: MINUTE });
  await world.time.advance(MINUTE);
  expect(under.isAlive).toBe(false);
  isArmed = false;
  under = await world.open();
  const got = await receiver(under, { options: { startFrom: 'earliest' } });
  await under.settled();
  expect(got.map((entry) => entry.id)).toEqual([id]);
  expect(await list(under)).toEqual([]);
  await under.close();
});

it('has one timer for ten thousand, in the order of their times, and bounded memory', async () => {
  const under = await openMemory();
  const got = await receiver(under);
  const before = under.engine.memory().timetable;
  const inputs = Array.from({ length: 5_000 }, (_, at) => anEvent({ delayMs: 10_000 + ((at * 7_919) % 5_000) }));
  for (const _half of [1, 2]) await under.time.run(under.engine.publishBatch(ANONYMOUS, inputs));
  expect(under.engine.memory().timetable).toBe(before + 1);
  expect(under.engine.schedule.counts.waiting).toBe(10_000);
  const all = await list(under);
  expect(all.map(({ scheduledFor }) => scheduledFor)).toEqual(all.map(({ scheduledFor }) => scheduledFor).toSorted());
  await under.time.advance(MINUTE);
  await under.settled();
  expect(got.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  await under.close();
});

it('refuses more than may wait', async () => {
  const under = await openMemory({ limits: { scheduledMax: 2 } });
  const results = await under.time.run(
    under.engine.publishBatch(
      ANONYMOUS,
      [1, 2, 3].map(() => anEvent({ delayMs: HOUR })),
    ),
  );
  expect(results[2]).toMatchObject({ code: 'too_many_scheduled', details: { limit: 2 } });
  await cancel(under, (await list(under))[0]!.id);
  expect((await publish(under, { delayMs: HOUR })).scheduledFor).toBeDefined();
  await under.close();
});
