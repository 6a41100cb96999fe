import { ANONYMOUS, EventManagerError, SYSTEM } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { anEvent, openMemory } from '../open-engine.ts';
import { requires, requiredFields as schemas } from '../topic/required-fields.ts';

const ID = '0198c1f0-0000-7000-8000-000000000001';

async function openStrict(isStrict = true) {
  const world = await openMemory({ schemas, topicsStrict: isStrict });
  const declare = (topic: string, ...required: string[]) =>
    world.engine.topics.create(ANONYMOUS, { topic, schema: requires(...required) });
  return { ...world, world, declare };
}

describe('what a topic asks of its events', () => {
  it('is asked of what everybody will read: a Date is a text, what is undefined is not there', async () => {
    const { world, declare } = await openStrict(false);
    await declare('order.created', 'at');
    await world.publish({ payload: { at: new Date(0) } });
    await expect(world.publish({ payload: { at: undefined } })).rejects.toMatchObject({ code: 'schema_violation' });
    await expect(world.publish({ payload: undefined })).rejects.toMatchObject({ details: { pointer: '/payload/at' } });
  });

  it('is not asked of an event that is there already: who repeats is told so', async () => {
    const { world, engine, declare } = await openStrict(false);
    await world.publish({ id: ID, payload: { old: true } });
    await engine.topics.create(ANONYMOUS, { topic: 'order.created', schema: requires('a'), compatibility: 'none' });
    expect(await world.publish({ id: ID, payload: { old: true } })).toMatchObject({ id: ID, duplicate: true });
    await expect(world.publish({ id: ID, payload: { old: 1 } })).rejects.toMatchObject({ code: 'schema_violation' });
    await declare('other', 'a');
    expect(engine.rejections.counts).toEqual([{ code: 'schema_violation', topic: 'order/created', count: 1 }]);
  });

  it('counts exactly what it refused of ten thousand events, and stores exactly the rest', async () => {
    const { world, engine, declare } = await openStrict(false);
    await declare('order.created', 'a');
    await declare('order.paid', 'b');
    const batch = Array.from({ length: 10_000 }, (_, n) =>
      n % 2 === 0
        ? anEvent({ payload: n % 3 === 0 ? { n } : { a: 1, n } })
        : anEvent({ type: 'order.paid', payload: n % 5 === 0 ? {} : { b: 1 } }),
    );
    const results = await world.time.run(engine.publishBatch(ANONYMOUS, batch));
    const refused = results.filter((result) => result instanceof EventManagerError);
    const [created, paid] = [1_667, 1_000];
    expect(refused).toHaveLength(created + paid);
    expect(engine.rejections.counts).toEqual([
      { code: 'schema_violation', topic: 'order/created', count: created },
      { code: 'schema_violation', topic: 'order/paid', count: paid },
    ]);
    expect(engine.rejections.recent).toHaveLength(100);
    expect(engine.health().head).toBe(10_000 - created - paid);
  });

  it('holds for an upload that was parsed, at the place in the upload', async () => {
    const { world, engine, declare } = await openStrict(false);
    await declare('order.created', 'a');
    const results = await world.time.run(
      engine.publishBatch(ANONYMOUS, [anEvent({ payload: { a: 1 } }), anEvent()], { trusted: true }),
    );
    expect(results).toMatchObject([
      { duplicate: false },
      { code: 'schema_violation', details: { pointer: '/1/payload/a' } },
    ]);
    expect(engine.rejections.recent).toMatchObject([{ pointer: '/payload/a' }]);
  });

  it('is that it is declared, where the bus is strict; the bus itself needs nobody to declare', async () => {
    const { world, engine, declare } = await openStrict();
    await expect(world.publish()).rejects.toMatchObject({
      code: 'topic_not_declared',
      details: { pointer: '/topic', topic: 'order/created' },
    });
    await declare('order/created');
    await world.publish();
    await world.time.run(engine.publish(SYSTEM, anEvent({ topic: '$sys/a' })));
    await world.time.run(engine.publish(SYSTEM, anEvent({ topic: 'dead.letters' })));
    expect(engine.rejections.counts).toEqual([{ code: 'topic_not_declared', topic: 'order/created', count: 1 }]);
  });
});

it('is not asked of an event for which there is no room: nobody would hear the verdict', async () => {
  const { time, engine } = await openMemory({ schemas, limits: { publishWaitingBytesMax: 400 } });
  await engine.topics.create(ANONYMOUS, { topic: 'order.created', schema: requires('a') });
  const pad = 'x'.repeat(200);
  const [stored, ...refused] = await time.run(
    Promise.allSettled(
      [{ a: 1, pad }, { pad }, { pad }].map((payload) => engine.publish(ANONYMOUS, anEvent({ payload }))),
    ),
  );
  expect(stored!.status).toBe('fulfilled');
  for (const one of refused) expect(one).toMatchObject({ reason: { code: 'overloaded' } });
  expect(engine.rejections.counts).toEqual([]);
});

describe('what was refused', () => {
  it('is told without the payload, the newest first, a hundred at most', async () => {
    const { world, engine, declare } = await openStrict(false);
    await declare('order.created', 'a');
    for (let n = 1; n <= 103; n++)
      await world.publish({ source: `s${n}`, payload: { secret: 'hush' } }).catch(() => {});
    const { recent } = engine.rejections;
    expect(recent.map(({ source }) => source)).toEqual(Array.from({ length: 100 }, (_, at) => `s${103 - at}`));
    expect(recent[0]).toEqual({
      rejectedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      code: 'schema_violation',
      topic: 'order/created',
      type: 'order.created',
      source: 's103',
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      principal: 'anonymous',
      pointer: '/payload/a',
      reason: 'The payload does not fit the schema of its topic: a is missing',
    });
    expect(JSON.stringify(recent)).not.toContain('hush');
  });

  it('is told in few words, however long the names of the schema are', async () => {
    const { world, engine, declare } = await openStrict(false);
    await declare('order.created', '😀'.repeat(10_000));
    const error = (await world.publish().catch((thrown: unknown) => thrown)) as EventManagerError;
    expect(error.message.length).toBeLessThan(600);
    expect(error.message.isWellFormed()).toBe(true);
    expect(engine.rejections.recent[0]!.reason).toBe(error.message);
  });

  it('is counted together where publishers think of more topics than anybody could read', async () => {
    const { world, engine } = await openStrict();
    const batch = Array.from({ length: 1_500 }, (_, n) => anEvent({ topic: `t${n}` }));
    await world.time.run(engine.publishBatch(ANONYMOUS, batch));
    expect(engine.rejections.counts).toHaveLength(1_001);
    expect(engine.rejections.counts[0]).toEqual({ code: 'topic_not_declared', count: 500 });
  });
});
