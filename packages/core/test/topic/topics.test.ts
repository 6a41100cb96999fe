import { ANONYMOUS, EventManagerError, type StandardSchema } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, openMemory, openOn } from '../open-engine.ts';
import { requires, requiredFields as schemas } from './required-fields.ts';

const create = (engine: Engine, input: object) => engine.topics.create(ANONYMOUS, input);
const add = (engine: Engine, topic: string, input: object) => engine.topics.addSchema(ANONYMOUS, topic, input);
const get = (engine: Engine, topic: string) => engine.topics.get(ANONYMOUS, topic);
type Engine = Awaited<ReturnType<typeof openMemory>>['engine'];

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: EventManagerError) => error.code,
  );

describe('declaring a topic', () => {
  it('is known under every spelling, and lists topics by their canonical names', async () => {
    const { engine } = await openMemory({ schemas });
    const declared = await create(engine, { topic: 'order.created', schema: requires('total'), description: 'New.' });
    expect(declared).toMatchObject({
      topic: 'order.created',
      description: 'New.',
      compatibility: 'backward',
      schema: requires('total'),
      versions: [{ version: 1, schema: requires('total') }],
    });
    await create(engine, { topic: 'order/a' });
    await create(engine, { topic: 'a' });
    expect(get(engine, 'order/created')).toEqual({ ...declared, checked: undefined });
    expect(engine.topics.list(ANONYMOUS).map(({ topic }) => topic)).toEqual(['a', 'order/a', 'order.created']);
    const first = engine.topics.page(ANONYMOUS, { limit: 2 });
    expect(first).toMatchObject({ topics: [{ topic: 'a' }, { topic: 'order/a' }], next: 'order/a' });
    const second = engine.topics.page(ANONYMOUS, { limit: 2, after: first.next });
    expect(second).toEqual({ topics: [get(engine, 'order/created')] });
  });

  it('twice is one topic when it says the same, and a conflict at the field that differs', async () => {
    const { engine } = await openMemory({ schemas });
    const wanted = { topic: 'a/b', schema: requires('x'), description: 'A.' };
    const both = await Promise.all([create(engine, wanted), create(engine, { ...wanted, topic: 'a.b' })]);
    expect(both.map(({ topic }) => topic)).toEqual(['a/b', 'a/b']);
    expect(await create(engine, { topic: 'a/b' })).toMatchObject({ schema: requires('x') });
    for (const [field, value] of Object.entries({ schema: requires('y'), description: 'B.', compatibility: 'none' })) {
      await expect(create(engine, { ...wanted, [field]: value })).rejects.toMatchObject({
        code: 'topic_conflict',
        details: { pointer: `/${field}` },
      });
    }
  });

  it.each<[string, unknown, string, string | undefined]>([
    ['no object', 'a', 'invalid_topic', ''],
    ['an unknown field', { topic: 'a', owner: 'me' }, 'invalid_topic', '/owner'],
    ['no topic', {}, 'invalid_topic', '/topic'],
    ['a pattern', { topic: 'a.#' }, 'invalid_topic', '/topic'],
    ['an empty level', { topic: 'a..b' }, 'invalid_topic', '/topic'],
    ['the bus itself', { topic: '$sys.a' }, 'topic_reserved', '/topic'],
    ['a compatibility of others', { topic: 'a', compatibility: 'FULL' }, 'invalid_topic', '/compatibility'],
    ['a description with NUL', { topic: 'a', description: '\0' }, 'invalid_topic', '/description'],
    ['a schema that is a list', { topic: 'a', schema: [] }, 'invalid_schema', '/schema'],
    [
      'a schema that JSON cannot hold',
      { topic: 'a', schema: { required: [1n] } },
      'invalid_schema',
      '/schema/required/0',
    ],
    ['a schema that cannot be compiled', { topic: 'a', schema: {} }, 'invalid_schema', '/schema/required'],
    ['a large schema', { topic: 'a', schema: requires('x'.repeat(70_000)) }, 'invalid_schema', '/schema'],
    ['a deep schema', { topic: 'a', schema: deep(100) }, 'too_deep', undefined],
  ])('refuses %s', async (_what, input, code, pointer) => {
    const { engine } = await openMemory({ schemas });
    const error: unknown = await create(engine, input as object).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EventManagerError);
    expect(error).toMatchObject({ code, details: pointer === undefined ? {} : { pointer } });
    expect(engine.topics.list(ANONYMOUS)).toEqual([]);
  });

  it('with a JSON Schema needs a compiler, and says where there is one', async () => {
    const { engine } = await openMemory();
    const refused = create(engine, { topic: 'a', schema: requires('x') });
    await expect(refused).rejects.toMatchObject({ code: 'not_supported', details: { pointer: '/schema' } });
    await expect(refused).rejects.toThrow('@event-manager/schema is in no registry yet: "npm run pack"');
    expect(await create(engine, { topic: 'a' })).toMatchObject({ versions: [] });
  });

  it('is bounded in what all of them take, and each by itself', async () => {
    const { engine } = await openMemory({ schemas, limits: { topicsCharactersMax: 10_000, schemaBytesMax: 500 } });
    await create(engine, { topic: 'a', schema: requires('x'.repeat(400)) });
    let versions = 1;
    const more = (version: number) => add(engine, 'a', { schema: requires(`${version}`.padStart(400, 'x')) });
    while ((await codeOf(more(versions + 1))) === 'none') versions++;
    expect(versions).toBe(16);
    expect(await codeOf(more(versions + 1))).toBe('invalid_schema');
    expect(await codeOf(create(engine, { topic: 'b', schema: requires('x'.repeat(400)) }))).toBe('none');
    expect(await codeOf(create(engine, { topic: 'c', description: 'x'.repeat(4_000) }))).toBe('too_many_topics');
    expect(await codeOf(create(engine, { topic: 'c' }))).toBe('none');
  });

  it('is bounded in number', async () => {
    const { engine } = await openMemory({ limits: { topicsMax: 2 } });
    await create(engine, { topic: 'a' });
    await create(engine, { topic: 'b' });
    expect(await codeOf(create(engine, { topic: 'c' }))).toBe('too_many_topics');
    expect(await codeOf(create(engine, { topic: 'a' }))).toBe('none');
  });

  it('matches events however their topic is spelled', async () => {
    const level = fc.stringMatching(/^[a-z]{1,3}$/);
    const separator = fc.constantFrom('.', '/');
    const spelled = (levels: readonly string[], separators: readonly string[]) =>
      levels.map((name, at) => (at === 0 ? name : `${separators[at]}${name}`)).join('');
    await fc.assert(
      fc.asyncProperty(
        fc.array(level, { minLength: 1, maxLength: 4 }),
        fc.array(separator, { minLength: 4, maxLength: 4 }),
        fc.array(separator, { minLength: 4, maxLength: 4 }),
        async (levels, declared, published) => {
          const world = await openMemory({ schemas });
          await create(world.engine, { topic: spelled(levels, declared), schema: requires('x') });
          const topic = spelled(levels, published);
          expect(await codeOf(world.publish({ topic }))).toBe('schema_violation');
          expect(await codeOf(world.publish({ topic, payload: { x: 1 } }))).toBe('none');
          expect(await codeOf(world.publish({ topic: `${topic}/more` }))).toBe('none');
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a new version of a schema', () => {
  it('holds for the next event, and says how many stored events were held against it', async () => {
    const world = await openMemory({ schemas });
    const { engine } = world;
    await create(engine, { topic: 'order.created', schema: requires('a') });
    await world.publish({ payload: { a: 1, b: 1 } });
    const added = await add(engine, 'order/created', { schema: requires('a', 'b') });
    expect(added).toMatchObject({ versions: [{ version: 1 }, { version: 2 }], checked: { events: 1, complete: true } });
    expect(added.schema).toEqual(requires('a', 'b'));
    await expect(world.publish({ payload: { a: 1 } })).rejects.toMatchObject({
      code: 'schema_violation',
      details: { pointer: '/payload/b', topic: 'order/created', schemaVersion: 2 },
    });
  });

  it('is refused while a stored event does not fit, naming the newest and its place', async () => {
    const world = await openMemory({ schemas });
    const { engine } = world;
    await create(engine, { topic: 'order.created' });
    await world.publish({ payload: { a: 1 } });
    const { id } = await world.publish({ payload: { b: 1 } });
    await world.publish({ topic: 'order.created.late', payload: {} });
    await expect(add(engine, 'order.created', { schema: requires('a') })).rejects.toMatchObject({
      code: 'schema_incompatible',
      details: { pointer: '/schema', eventId: id, path: '/payload/a' },
    });
    expect(get(engine, 'order.created').versions).toEqual([]);
    expect(await codeOf(world.publish({ payload: {} }))).toBe('none');
    const forced = await add(engine, 'order.created', { schema: requires('a'), compatibility: 'none' });
    expect(forced).toMatchObject({ compatibility: 'none', versions: [{ version: 1 }] });
    expect(forced.checked).toBeUndefined();
    expect(await codeOf(world.publish({ payload: {} }))).toBe('schema_violation');
  });

  it('is looked for in ten thousand events, and says when there are more', async () => {
    const world = await openMemory({ schemas });
    await create(world.engine, { topic: 'order.created' });
    await world.publish({ payload: {} });
    await world.publishMany(10_000, 1, { payload: { a: 1 } });
    const added = await world.time.run(add(world.engine, 'order.created', { schema: requires('a') }));
    expect(added.checked).toEqual({ events: 10_000, complete: false });
  });

  it('changes nothing when it is the version that there is', async () => {
    const { engine } = await openMemory({ schemas });
    await create(engine, { topic: 'a', schema: requires('x') });
    expect((await add(engine, 'a', { schema: { required: ['x'] } })).versions).toHaveLength(1);
    expect(await add(engine, 'a', { schema: requires('x'), description: 'Told later.' })).toMatchObject({
      description: 'Told later.',
      versions: [{ version: 1 }],
    });
  });

  it('given twice at once is two versions, in order', async () => {
    const { engine } = await openMemory({ schemas });
    await create(engine, { topic: 'a' });
    const both = await Promise.all([
      add(engine, 'a', { schema: requires('x') }),
      add(engine, 'a', { schema: requires('y') }),
    ]);
    expect(both.map(({ versions }) => versions.length)).toEqual([1, 2]);
    expect(get(engine, 'a').schema).toEqual(requires('y'));
  });

  it('needs a schema and a topic, and is one of a hundred at most', async () => {
    const { engine } = await openMemory({ schemas });
    await expect(add(engine, 'a', { schema: requires('x') })).rejects.toMatchObject({ code: 'topic_not_found' });
    await create(engine, { topic: 'a' });
    await expect(add(engine, 'a', {})).rejects.toMatchObject({
      code: 'invalid_schema',
      details: { pointer: '/schema' },
    });
    await expect(add(engine, 'a', { topic: 'a', schema: requires() })).rejects.toMatchObject({ code: 'invalid_topic' });
    for (let version = 1; version <= 100; version++) await add(engine, 'a', { schema: requires(`f${version}`) });
    expect(await codeOf(add(engine, 'a', { schema: requires('one more') }))).toBe('invalid_schema');
    expect(get(engine, 'a').versions.map(({ version }) => version)).toEqual(
      Array.from({ length: 100 }, (_, at) => at + 1),
    );
  });
});

it('there are so many topics, and so much is said of them, however many are declared at once', async () => {
  const { engine } = await openMemory({ limits: { topicsMax: 5, topicsCharactersMax: 2_000 } });
  const together = (names: string[], description: string) =>
    Promise.all(names.map((topic) => codeOf(create(engine, { topic, description }))));
  const wordy = await together(['a', 'b', 'c'], 'x'.repeat(1_000));
  expect(wordy.toSorted()).toEqual(['none', 'too_many_topics', 'too_many_topics']);
  const short = await together(['d', 'e', 'f', 'g', 'h', 'i'], 'x');
  expect(short.filter((code) => code === 'none')).toHaveLength(4);
  expect(engine.topics.list(ANONYMOUS)).toHaveLength(5);
});

describe('events that are published while a schema is on trial', () => {
  it('are taken, and speak against it', async () => {
    const { kept, open } = durableWorld();
    const { engine } = await open({ schemas });
    await create(engine, { topic: 'order.created' });
    let published: Promise<{ id: string }> | undefined;
    kept.interfere = (call) => {
      if (call === 'find') published ??= engine.publish(ANONYMOUS, anEvent({ payload: {} }));
    };
    const refused = add(engine, 'order.created', { schema: requires('a') });
    await expect(refused).rejects.toMatchObject({ code: 'schema_incompatible', details: { path: '/payload/a' } });
    const { id } = (await published)!;
    await expect(refused).rejects.toMatchObject({ details: { eventId: id } });
  });

  it('are found when they were handed in just before', async () => {
    const { engine } = await openMemory({ schemas });
    await create(engine, { topic: 'order.created' });
    const published = engine.publish(ANONYMOUS, anEvent({ payload: {} }));
    const refused = add(engine, 'order.created', { schema: requires('a') });
    await expect(refused).rejects.toMatchObject({
      code: 'schema_incompatible',
      details: { eventId: (await published).id },
    });
  });

  it('have to fit from the moment it is found good, and not when it could not be kept', async () => {
    const { kept, open } = durableWorld();
    const { engine } = await open({ schemas });
    await create(engine, { topic: 'order.created' });
    const answers: Promise<string>[] = [];
    kept.interfere = (call, [changes]) => {
      if (call !== 'commit' || (changes as { kind: string }[])[0]?.kind !== 'topic') return;
      answers.push(codeOf(engine.publish(ANONYMOUS, anEvent({ payload: {} }))));
      throw new EventManagerError('disk_full', 'No space.');
    };
    expect(await codeOf(add(engine, 'order.created', { schema: requires('a') }))).toBe('disk_full');
    expect(await Promise.all(answers)).toEqual(['schema_violation']);
    kept.interfere = () => {};
    expect(await codeOf(engine.publish(ANONYMOUS, anEvent({ payload: {} })))).toBe('none');
    expect(get(engine, 'order.created').versions).toEqual([]);
  });
});

describe('declared topics', () => {
  it('survive the process, with every version, and are compiled when an event asks', async () => {
    const { open } = durableWorld();
    const first = await open({ schemas });
    await create(first.engine, { topic: 'order.created', schema: requires('a') });
    const before = await add(first.engine, 'order.created', { schema: requires('b') });
    await first.close();
    schemas.compiled = 0;
    const second = await open({ schemas });
    expect(get(second.engine, 'order.created')).toEqual({ ...before, checked: undefined });
    expect(schemas.compiled).toBe(0);
    expect(await codeOf(second.publish({ payload: { a: 1 } }))).toBe('schema_violation');
    expect(await codeOf(second.publish({ payload: { b: 1 } }))).toBe('none');
    expect(schemas.compiled).toBe(1);
  });

  it('let nothing pass where their schema cannot be compiled: what a topic promises does not depend on who opened the store', async () => {
    const { open } = durableWorld();
    const first = await open({ schemas });
    await create(first.engine, { topic: 'order.created', schema: requires('a') });
    await first.close();
    const second = await open();
    await expect(second.publish({ payload: { a: 1 } })).rejects.toMatchObject({ code: 'schema_violation' });
    await expect(second.publish({ payload: { a: 1 } })).rejects.toThrow('@event-manager/schema');
    expect(await codeOf(second.publish({ type: 'other' }))).toBe('none');
  });

  it('are seen by every process on the store, also when no hint arrives', async () => {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(7), hintLossShare: 1, stallShare: 0 });
    const one = await openOn(shared.connect(), time, { schemas });
    const other = await openOn(shared.connect(), time, { schemas });
    await time.run(create(one.engine, { topic: 'order.created', schema: requires('a') }));
    await time.run(new Promise<void>((resolve) => void time.after(2_000, resolve)));
    expect(get(other.engine, 'order.created')).toMatchObject({ versions: [{ version: 1 }] });
    expect(await codeOf(other.publish({ payload: {} }))).toBe('schema_violation');
    const both = await time.run(
      Promise.all([
        create(one.engine, { topic: 'b', description: 'One.' }),
        create(other.engine, { topic: 'b', description: 'One.' }),
      ]),
    );
    expect(both[0]).toEqual({ ...both[1], checked: undefined });
    await Promise.all([one.close(), other.close()]);
  });
});

describe('a schema of a library', () => {
  const positive = (vendor: string, isAsync: boolean): StandardSchema<{ n: number }> => ({
    '~standard': {
      version: 1,
      vendor,
      validate(value) {
        const { n } = value as { n: unknown };
        const result =
          typeof n === 'number' && n > 0
            ? { value: value as { n: number } }
            : { issues: [{ message: 'not positive', path: [{ key: 'n' }, 0, 'a/b'] }] };
        return isAsync ? Promise.resolve(result) : result;
      },
    },
  });

  it.each([false, true])('holds in this process, answering later: %s', async (isAsync) => {
    const { open } = durableWorld();
    const first = await open();
    await create(first.engine, { topic: 'order.created', schema: positive('test', isAsync) });
    await expect(first.publish({ payload: { n: -1 } })).rejects.toMatchObject({
      code: 'schema_violation',
      details: { pointer: '/payload/n/0/a~1b' },
    });
    expect(await codeOf(first.publish({ payload: { n: 1 } }))).toBe('none');
    const results = await first.time.run(
      first.engine.publishBatch(ANONYMOUS, [anEvent({ payload: { n: 0 } }), anEvent({ payload: { n: 2 } })]),
    );
    expect(results).toMatchObject([
      { code: 'schema_violation', details: { pointer: '/0/payload/n/0/a~1b' } },
      { duplicate: false },
    ]);
    await first.close();
    const second = await open();
    expect(get(second.engine, 'order.created').versions).toEqual([]);
    expect(await codeOf(second.publish({ payload: { n: -1 } }))).toBe('none');
    const refused = create(second.engine, { topic: 'order.updated', schema: positive('test', isAsync) });
    expect(await codeOf(refused)).toBe('none');
    const added = add(second.engine, 'order.created', { schema: positive('test', isAsync) });
    await expect(added).rejects.toMatchObject({ code: 'schema_incompatible', details: { path: '/payload/n/0/a~1b' } });
  });

  it('holds beside a JSON Schema, and is attached again by whoever starts', async () => {
    const { open } = durableWorld();
    const first = await open({ schemas });
    await create(first.engine, { topic: 'order.created', schema: requires('a') });
    await create(first.engine, { topic: 'order.created', schema: positive('test', true) });
    expect(await codeOf(first.publish({ payload: { n: 1 } }))).toBe('schema_violation');
    expect(await codeOf(first.publish({ payload: { a: 1, n: 0 } }))).toBe('schema_violation');
    expect(await codeOf(first.publish({ payload: { a: 1, n: 1 } }))).toBe('none');
  });

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('no n');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('no n'))],
  ])('lets nothing pass when it %s, also while it is on trial', async (_what, validate) => {
    const { engine, publish } = await openMemory().then((world) => ({
      ...world,
      engine: world.engine,
      publish: (n: number) => world.publish({ payload: { n } }),
    }));
    const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate } };
    await create(engine, { topic: 'order.created' });
    await publish(1);
    await expect(add(engine, 'order.created', { schema })).rejects.toMatchObject({ code: 'schema_incompatible' });
    await add(engine, 'order.created', { schema, compatibility: 'none' });
    await expect(publish(2)).rejects.toMatchObject({ code: 'schema_violation', details: { pointer: '/payload' } });
  });

  it('is waited for when the engine closes', async () => {
    const world = await openMemory();
    await create(world.engine, { topic: 'order.created', schema: positive('test', true) });
    const published = codeOf(world.engine.publish(ANONYMOUS, anEvent({ payload: { n: 1 } })));
    const refused = codeOf(world.engine.publish(ANONYMOUS, anEvent({ payload: { n: 0 } })));
    await world.close();
    expect(await Promise.all([published, refused])).toEqual(['none', 'schema_violation']);
  });
});

describe('a schema of a library that takes its time', () => {
  /** Answers when the test says so. */
  function slow(name: string) {
    const asked: (() => void)[] = [];
    const schema: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          new Promise((resolve) => {
            const result = Object.hasOwn(value as object, name) ? { value } : { issues: [{ message: `no ${name}` }] };
            asked.push(() => resolve(result));
          }),
      },
    };
    return { schema, asked };
  }

  it('speaks against itself when it finds only later that an event of its trial does not fit', async () => {
    const { kept, open } = durableWorld();
    const { engine } = await open();
    await create(engine, { topic: 'order.created' });
    const { schema, asked } = slow('a');
    let published: Promise<string> | undefined;
    kept.interfere = (call) => {
      if (call === 'find') published ??= codeOf(engine.publish(ANONYMOUS, anEvent({ payload: {} })));
    };
    const refused = add(engine, 'order.created', { schema }).catch((error: unknown) => error);
    await settle();
    // The stored event was found good; what was published meanwhile is looked at still.
    expect(await published).toBe('none');
    for (const answer of asked) answer();
    await settle();
    for (const answer of asked) answer();
    expect(await refused).toMatchObject({ code: 'schema_incompatible' });
    expect(await codeOf(engine.publish(ANONYMOUS, anEvent({ payload: {} })))).toBe('none');
  });

  it('lets nothing pass that the one does not take which came into force meanwhile', async () => {
    const { engine } = await openMemory();
    const [first, second] = [slow('a'), slow('b')];
    await create(engine, { topic: 'order.created', schema: first.schema });
    const published = codeOf(engine.publish(ANONYMOUS, anEvent({ payload: { a: 1 } })));
    await add(engine, 'order.created', { schema: second.schema });
    first.asked[0]!();
    await settle();
    second.asked[0]!();
    expect(await published).toBe('schema_violation');
  });
});

const settle = () => new Promise((resolve) => setImmediate(resolve));

function deep(levels: number): object {
  return Array.from({ length: levels }).reduce<object>((inner) => ({ not: inner }), requires('x'));
}
