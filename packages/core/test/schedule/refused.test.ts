import { ANONYMOUS, type Event, EventManagerError } from '@event-manager/core';
import { expect, it } from 'vitest';
import { anEvent, durableWorld } from '../open-engine.ts';

const MINUTE = 60_000;
const ID = '0198c0de-0000-7000-8000-000000000001';

it('tells of an event that the log refuses for good, and goes on with the others', async () => {
  const world = durableWorld();
  const under = await world.open({ systemEvents: true });
  const told: unknown[] = [];
  await under.subscribe({ topic: '$sys.scheduled.#', handler: (event: Event) => void told.push(event.payload) });
  const publish = (event: object) => world.time.run(under.engine.publish(ANONYMOUS, anEvent(event)));
  await publish({ id: ID, delayMs: MINUTE, payload: { n: 1 } });
  const { id: other } = await publish({ delayMs: MINUTE, payload: { n: 2 } });
  // Somebody else appends an event of this id with other content: another process, or one before the id was kept.
  const { store } = world.kept.kept;
  const body = Buffer.from(JSON.stringify({ id: ID, type: 't', source: 's', payload: { mine: true } }));
  const event = { id: ID, topic: 't', lane: 2, flags: 0, type: 't', source: 's', timestampMs: 0, body } as const;
  await store.append([event]);
  await world.time.advance(MINUTE + 1);
  await under.settled();
  expect(told).toMatchObject([{ eventId: ID, topic: 'order/created', code: 'id_conflict', count: 1 }]);
  expect(under.engine.schedule.counts).toMatchObject({ waiting: 0, published: 1, refused: 1 });
  expect((await store.get([other]))[0]?.id).toBe(other);
  expect(under.engine.metrics().schedule).toMatchObject({ accepted: 2, refused: 1 });
  await under.close();
});

it('acknowledges nothing once the store has failed, not even what it has kept', async () => {
  const world = durableWorld();
  const under = await world.open();
  const publish = () => world.time.run(under.engine.publish(ANONYMOUS, anEvent({ id: ID, delayMs: MINUTE })));
  expect(await publish()).toMatchObject({ duplicate: false });
  expect(await publish()).toMatchObject({ duplicate: true });
  world.kept.health = { status: 'failed', facts: {} };
  await expect(publish()).rejects.toMatchObject({ code: 'store_failed' });
});

it('keeps what is due while the store takes nothing, and appends it afterwards', async () => {
  const world = durableWorld();
  const under = await world.open();
  const got: string[] = [];
  await under.subscribe({ name: 'a', handler: (event: Event) => void got.push(event.id) });
  const { id } = await world.time.run(under.engine.publish(ANONYMOUS, anEvent({ delayMs: MINUTE })));
  let isFull = true;
  world.kept.interfere = (call) => {
    if (isFull && call === 'append') throw new EventManagerError('disk_full', 'The disk is full.');
  };
  await world.time.advance(5 * MINUTE);
  expect(got).toEqual([]);
  expect(under.engine.schedule.counts).toMatchObject({ waiting: 1, refused: 0 });
  isFull = false;
  await world.time.advance(2_000);
  expect(got).toEqual([id]);
  await under.close();
});

it('answers what the store says when an event cannot be kept, and keeps nothing of it', async () => {
  const world = durableWorld();
  const under = await world.open();
  let isFull = true;
  world.kept.interfere = (call) => {
    if (isFull && call === 'commit') throw new EventManagerError('disk_full', 'The disk is full.');
  };
  const publishing = world.time.run(under.engine.publish(ANONYMOUS, anEvent({ id: ID, delayMs: MINUTE })));
  await expect(publishing).rejects.toMatchObject({ code: 'disk_full', retryable: true });
  isFull = false;
  expect(await world.time.run(under.engine.schedule.all(ANONYMOUS))).toEqual([]);
  const again = await world.time.run(under.engine.publish(ANONYMOUS, anEvent({ id: ID, delayMs: MINUTE })));
  expect(again).toMatchObject({ duplicate: false });
  await under.close();
});

it('holds an event for later against the schema of its topic when it is accepted, and not again', async () => {
  const world = durableWorld();
  const schemas = {
    compile: () => ({
      check: (payload: unknown) =>
        (payload as { n?: number }).n === 1 ? undefined : { pointer: '/n', reason: 'is not 1' },
    }),
  };
  const under = await world.open({ schemas });
  const create = (topic: string) =>
    world.time.run(under.engine.topics.create(ANONYMOUS, { topic, schema: { type: 'object' } }));
  await create('order.created');
  const refused = world.time.run(under.engine.publish(ANONYMOUS, anEvent({ payload: { n: 2 }, delayMs: MINUTE })));
  await expect(refused).rejects.toMatchObject({ code: 'schema_violation', details: { pointer: '/payload/n' } });
  const early = anEvent({ topic: 'later.declared', payload: { n: 2 }, delayMs: MINUTE });
  const { id } = await world.time.run(under.engine.publish(ANONYMOUS, early));
  await create('later.declared');
  await world.time.advance(MINUTE);
  expect((await world.kept.kept.store.get([id]))[0]?.id).toBe(id);
  await under.close();
});
