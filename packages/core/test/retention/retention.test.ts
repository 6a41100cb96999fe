import { ANONYMOUS, type Event, type JsonObject, type Recorded } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry, type SetUp } from '../open-engine.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type World = ReturnType<typeof durableWorld>;

async function bounds(world: World): Promise<{ first: number; head: number }> {
  const [log] = await world.time.run(world.kept.kept.store.bounds());
  return { first: log!.first, head: log!.head };
}

/** Time for retention to look, and to end what it found. */
const look = (under: EngineUnderTest) => under.time.advance(11 * SECOND);

async function handler(under: EngineUnderTest, request: object = {}) {
  const got: number[] = [];
  const handle = (event: Event) => void got.push((event.payload as { n: number }).n);
  const { id } = await under.subscribe({ name: 'reader', handler: handle, ...request });
  return { id, got };
}

const detach = (under: EngineUnderTest, id: string) => under.time.run(under.engine.subscriptions.detach(ANONYMOUS, id));

async function systemEvents(under: EngineUnderTest, kind: string): Promise<JsonObject[]> {
  const found = await under.time.run(
    under.engine.history.find(ANONYMOUS, { topic: `$sys/${kind}` }, { limit: 100, direction: 'forward' }),
  );
  return found.records.map((record: Recorded) => JSON.parse(Buffer.from(record.body).toString()).payload);
}

const open = (world: World, setUp: SetUp) => world.open({ systemEvents: true, ...setUp });

it('keeps everything when nothing is said', async () => {
  const world = durableWorld();
  const under = await open(world, {});
  await under.publishMany(20);
  await world.time.advance(400 * DAY);
  expect(await bounds(world)).toMatchObject({ first: 1, head: 20 });
  await under.close();
});

it('removes exactly what is older than the limit', async () => {
  const world = durableWorld();
  const under = await open(world, { retention: { ageMs: HOUR } });
  await under.publishMany(10);
  await world.time.advance(30 * MINUTE);
  await under.publishMany(10, 11);
  await world.time.advance(30 * MINUTE - SECOND);
  expect((await bounds(world)).first).toBe(1);
  await look(under);
  expect((await bounds(world)).first).toBe(11);
  await world.time.advance(HOUR);
  expect(await bounds(world)).toEqual({ first: 21, head: 20 });
  expect(under.engine.retention.counts).toMatchObject({ removedEvents: 20, removedDebts: 0 });
  await under.close();
});

it('removes the oldest beyond a number, and beyond a size', async () => {
  for (const limit of [{ eventsMax: 7 }, { bytesMax: 7 * 260 }]) {
    const world = durableWorld();
    const under = await open(world, { retention: limit });
    await under.publishMany(2_500);
    await look(under);
    const { first, head } = await bounds(world);
    const { bytes, events } = (await world.kept.kept.store.bounds())[0] as { bytes: number; events: number };
    if ('eventsMax' in limit) expect([first, events]).toEqual([head - 6, 7]);
    else expect([bytes <= limit.bytesMax, bytes > limit.bytesMax - 400]).toEqual([true, true]);
    await under.close();
  }
});

it.each(['paused', 'detached', 'failing'] as const)(
  'holds what a %s subscription is owed, and lets it go once it is delivered',
  async (way) => {
    const world = durableWorld();
    const under = await open(world, { retention: { ageMs: HOUR } });
    const got: number[] = [];
    let isBroken = way === 'failing';
    const handle = (event: Event) => {
      const { n } = event.payload as { n: number };
      if (isBroken && n === 3) throw new Error('not now');
      got.push(n);
    };
    const request = { name: 'reader', handler: handle, options: { retryPolicy: fixedRetry(1_000, 10 * MINUTE) } };
    const { id } = await under.subscribe(request);
    await under.publishMany(2);
    await under.settled();
    if (way === 'paused') await world.time.run(under.engine.subscriptions.pause(ANONYMOUS, id));
    if (way === 'detached') await detach(under, id);
    await under.publishMany(10, 3);
    await world.time.advance(5 * DAY);
    expect((await bounds(world)).first).toBe(3);
    expect(under.engine.retention.counts).toMatchObject({ holding: 1, removedDebts: 0 });
    if (way === 'paused') await world.time.run(under.engine.subscriptions.resume(ANONYMOUS, id));
    if (way === 'detached') await under.subscribe(request);
    isBroken = false;
    await under.settled();
    await look(under);
    expect(got.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect((await bounds(world)).first).toBe(13);
    await under.close();
  },
);

it('is not held by a subscription that nobody serves and that is owed nothing', async () => {
  const world = durableWorld();
  const under = await open(world, { retention: { ageMs: HOUR } });
  const { id } = await handler(under, { topic: 'other.#' });
  await detach(under, id);
  await under.publishMany(10);
  await world.time.advance(2 * HOUR);
  expect((await bounds(world)).first).toBe(11);
  await under.close();
});

it.each(['paused', 'detached'] as const)(
  'removes debts of a %s subscription that are too old: counted, recorded and told before they go',
  async (way) => {
    const world = durableWorld();
    const under = await open(world, { retention: { ageMs: HOUR, owedAgeMs: DAY } });
    const reader = await handler(under, { filter: { payload: { wanted: true } } });
    if (way === 'paused') await world.time.run(under.engine.subscriptions.pause(ANONYMOUS, reader.id));
    else await detach(under, reader.id);
    await under.publishMany(6, 1, { payload: { wanted: true, n: 0 } });
    await under.publishMany(4, 7, { payload: { wanted: false } });
    await under.publishMany(2, 1, {
      payload: { wanted: true, n: 0 },
      metadata: { expiresAt: new Date(world.time.wallMs() + HOUR) },
    });
    await world.time.advance(DAY - MINUTE);
    expect((await bounds(world)).first).toBe(1);
    await under.publishMany(3, 20, { payload: { wanted: true, n: 99 } });
    await world.time.advance(2 * MINUTE);
    expect((await bounds(world)).first).toBe(13);
    expect(under.engine.metrics().deliveries).toMatchObject({ removed: 6, skipped: 4, expired: 2 });
    expect(await systemEvents(under, 'subscription/debt-removed')).toEqual([
      { subscriptionId: reader.id, name: 'reader', removed: 6, from: 1, through: 12, total: 6, count: 1 },
    ]);
    const status = await world.time.run(under.engine.subscriptions.progress(ANONYMOUS, reader.id));
    expect(status.debtRemoved).toMatchObject({ count: 6, ranges: [{ from: 1, through: 12, count: 6 }] });
    if (way === 'paused') await world.time.run(under.engine.subscriptions.resume(ANONYMOUS, reader.id));
    else
      await handler(under, { filter: { payload: { wanted: true } } }).then(({ got }) => Object.assign(reader, { got }));
    await under.settled();
    expect(reader.got).toEqual([99, 99, 99]);
    await under.close();
  },
);
