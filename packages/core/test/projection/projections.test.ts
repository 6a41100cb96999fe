import { ANONYMOUS, type Event, type Projection, type ProjectionDefinition } from '@event-manager/core';
import { sampleEvents } from '@event-manager/testing/conformance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeptAdapter } from '../kept-adapter.ts';
import { anEvent, durableWorld, type EngineUnderTest, openMemory } from '../open-engine.ts';
import { SeveralEngines } from '../several-engines.ts';

interface Sum {
  count: number;
  /** Another order gives another one. */
  trail: number;
}

const numberOf = (event: Event) => event.payload['n'] as number;

/** Forgets its state at every seventh event, and changes it in place at every second one. */
const SUMS: ProjectionDefinition<Sum> = {
  name: 'sums',
  initial: { count: 0, trail: 7 },
  apply: (state, event) => {
    const n = numberOf(event);
    if (n % 7 === 6) return null;
    const next = { count: state.count + 1, trail: (Math.imul(state.trail, 31) + n) >>> 0 };
    if (n % 2 === 0) return next;
    Object.assign(state, next);
    return undefined;
  },
};
const BY_KEY = { ...SUMS, name: 'by-key', key: (event: Event) => `k${numberOf(event) % 5}` };

/** The definition of a projection, without anything that is kept. */
function plainFold(numbers: readonly number[], key = (_n: number) => ''): Record<string, Sum> {
  const states: Record<string, Sum> = {};
  for (const n of numbers) {
    const event = { payload: { n } } as unknown as Event;
    const state = structuredClone(states[key(n)] ?? SUMS.initial) as Sum;
    const answer = SUMS.apply(state, event);
    if (answer === null) delete states[key(n)];
    else states[key(n)] = answer ?? state;
  }
  return states;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

async function open<State>(bus: EngineUnderTest, definition: ProjectionDefinition<State>): Promise<Projection<State>> {
  return bus.time.run(bus.engine.projections.open(ANONYMOUS, definition as ProjectionDefinition<State, never>));
}

async function statesOf(bus: EngineUnderTest, projection: Projection<Sum>): Promise<Record<string, Sum | undefined>> {
  const keys = await bus.time.run(projection.keys());
  return Object.fromEntries(
    await Promise.all(keys.map(async (key) => [key, await bus.time.run(projection.get(key))] as const)),
  );
}

describe('a projection', () => {
  it('is the fold of what is there, and goes on with what comes', async () => {
    const bus = await openMemory();
    await bus.publishMany(10, 0);
    const sums = await open(bus, SUMS);
    expect(sums.status).toBe('folding');
    await bus.time.run(sums.caughtUp());
    expect(sums.state).toEqual(plainFold(range(0, 10))['']);
    await bus.publishMany(5, 10);
    await bus.time.run(sums.caughtUp());
    expect(await sums.get()).toEqual(plainFold(range(0, 15))['']);
    expect(sums.state).toEqual(await sums.get());
    const { cursor } = await bus.publish(anEvent({ payload: { n: 15 } }));
    await bus.time.run(sums.caughtUp());
    expect(sums.position).toBe(cursor);
    // What is handed out is a copy.
    (sums.state as Sum).count = -1;
    expect(sums.state).toEqual(plainFold(range(0, 16))['']);
    await bus.close();
    expect(sums.status).toBe('closed');
    await expect(sums.get()).rejects.toMatchObject({ code: 'closed' });
  });

  it('takes the events of its topic and filter alone, and has a state for each key', async () => {
    const bus = await openMemory();
    const sources = ['shop', 'store', 'shop'];
    for (const [n, source] of sources.entries()) await bus.publish(anEvent({ source, payload: { n, id: `o${n}` } }));
    await bus.publish(anEvent({ type: 'stock.changed', source: 'shop', payload: { n: 9, id: 'o9' } }));
    const orders = await open<string[]>(bus, {
      name: 'orders',
      topic: 'order.*',
      filter: { sources: ['shop'] },
      key: (event) => (numberOf(event) === 2 ? undefined : (event.payload['id'] as string)),
      initial: [],
      apply: (state, event) => [...state, event.type],
    });
    await bus.time.run(orders.caughtUp());
    expect(await orders.keys()).toEqual(['o0']);
    expect(await orders.get('o0')).toEqual(['order.created']);
    expect(await orders.get('o1')).toBeUndefined();
    expect(() => orders.state).toThrow(TypeError);
    await expect(orders.get()).rejects.toThrow(TypeError);
    await bus.close();
  });

  it('goes on from what is kept after a restart, without reading the log again, and keeps a second after the last event', async () => {
    const world = durableWorld();
    const first = await world.open();
    const sums = await open(first, SUMS);
    await first.publishMany(10, 0);
    await world.time.advance(1_100);
    first.crash();
    await world.time.advance(9_000);
    world.kept.calls.length = 0;
    const second = await world.open();
    const again = await open(second, SUMS);
    await second.time.run(again.caughtUp());
    expect(again.state).toEqual(plainFold(range(0, 10))['']);
    const reads = world.kept.calls.filter(({ call, args }) => call === 'read' && args[1] === 0);
    expect(reads).toEqual([]);
    expect(sums.name).toBe('sums');
    await second.close();
  });

  it('is the fold of the log whatever crashes, before a commit arrives or after it', async () => {
    const step = fc.record({
      events: fc.nat(40),
      crashAt: fc.integer({ min: 1, max: 12 }),
      when: fc.constantFrom('before', 'after'),
      advanceMs: fc.constantFrom(0, 900, 1_100, 12_000),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 15 }),
        async (steps, snapshotEvery) => {
          const world = durableWorld();
          let count = 0;
          for (const { events, crashAt, when, advanceMs } of steps) {
            await append(world.kept, count, (count += events));
            const bus = await world.open();
            crashAtCommit(world.kept, bus, crashAt, when);
            for (const definition of [SUMS, BY_KEY]) {
              const given = { ...definition, snapshotEvery } as ProjectionDefinition<Sum, never>;
              bus.engine.projections.open(ANONYMOUS, given).catch(() => {});
            }
            await world.time.advance(advanceMs);
            if (bus.isAlive) bus.crash();
            world.kept.interfere = () => {};
            // Nobody has the leases of the dead any more.
            await world.time.advance(8_100);
          }
          const bus = await world.open();
          const [sums, byKey] = [await open(bus, SUMS), await open(bus, BY_KEY)];
          await bus.time.run(Promise.all([sums.caughtUp(), byKey.caughtUp()]));
          expect(sums.state).toEqual(plainFold(range(0, count))[''] ?? SUMS.initial);
          expect(await statesOf(bus, byKey)).toEqual(plainFold(range(0, count), (n) => `k${n % 5}`));
          bus.crash();
        },
      ),
      { numRuns: Number(process.env['PROJECTION_RUNS'] ?? 60) },
    );
  });

  it('folds anew in a greater version, and when it is asked to; what the old one kept is cleared away', async () => {
    const world = durableWorld();
    const bus = await world.open();
    const old = await open(bus, BY_KEY);
    await bus.publishMany(20, 0);
    await bus.time.run(old.caughtUp());
    await old.close();
    const counts = {
      ...SUMS,
      name: BY_KEY.name,
      version: 2,
      apply: (state: Sum) => ({ ...state, count: state.count + 1 }),
    };
    const anew = await open(bus, counts);
    await bus.time.run(anew.caughtUp());
    expect(anew.state).toEqual({ count: 20, trail: 7 });
    const kept = await bus.time.run(world.kept.kept.state.load('snapshot', { limit: 100 }));
    expect(kept.entries.map(({ key }) => key)).toEqual(['by-key/2/']);

    await bus.time.run(anew.rebuild());
    await bus.time.run(anew.caughtUp());
    expect(anew.state).toEqual({ count: 20, trail: 7 });
    await anew.close();
    await expect(open(bus, BY_KEY)).rejects.toMatchObject({ code: 'projection_conflict', details: { kept: 2 } });
    const others = { ...counts, topic: 'order.*' };
    await expect(open(bus, others)).rejects.toMatchObject({ code: 'projection_conflict' });
    await bus.close();
  });

  it('says which events were not there any more', async () => {
    const world = durableWorld();
    await append(world.kept, 0, 10);
    await world.kept.kept.store.trim([{ partition: 0, position: 4 }]);
    const bus = await world.open();
    const sums = await open(bus, SUMS);
    await bus.time.run(sums.caughtUp());
    expect(sums.gaps).toEqual([{ cause: 'trimmed', from: 1, through: 4 }]);
    expect(sums.state).toEqual(plainFold(range(4, 10))['']);
    await bus.close();
  });
});

describe('a projection that cannot go on', () => {
  it('ends at the event where its own function throws, keeps what it had, and lets another version go on', async () => {
    const bus = await openMemory();
    const wrong = (state: Sum, event: Event) => {
      if (numberOf(event) === 3) throw new RangeError('three');
      return { ...state, count: state.count + 1 };
    };
    const sums = await open(bus, { ...SUMS, apply: wrong, snapshotEvery: 1 });
    await bus.publishMany(6, 0);
    const [event] = (await bus.engine.history.find(ANONYMOUS, {}, { limit: 4, direction: 'forward' })).records.slice(3);
    const ended = { code: 'projection_failed', details: { name: 'sums', eventId: event!.id } };
    await expect(bus.time.run(sums.caughtUp())).rejects.toMatchObject(ended);
    expect([sums.status, sums.error]).toEqual(['failed', expect.objectContaining({ cause: new RangeError('three') })]);
    await expect(sums.get()).rejects.toMatchObject(ended);
    await sums.close();
    const mended = await open(bus, { ...SUMS, version: 2 });
    await bus.time.run(mended.caughtUp());
    expect(mended.state).toEqual(plainFold(range(0, 6))['']);
    await bus.close();
  });

  it.each([
    ['too large a state', () => ({ text: 'x'.repeat(300_000) }), 'projection_too_large', /300011 characters/],
    ['what JSON cannot hold', () => ({ text: Number.NaN }), 'invalid_json', /JSON can hold: .* \(at \/text\)/],
    ['a promise', async () => ({ text: '' }), 'projection_failed', /apply returned a promise/],
    ['a promise that fails', () => Promise.reject(new RangeError('later')), 'projection_failed', /returned a promise/],
  ])('ends with %s, and says which projection and event that was', async (_name, apply, code, words) => {
    const bus = await openMemory();
    const definition = { name: 'wrong', initial: {}, apply, key: ({ type }: Event) => type };
    const wrong = await open(bus, definition as unknown as ProjectionDefinition<object>);
    await bus.publishMany(1);
    const error = await bus.time.run(wrong.caughtUp()).catch((reason) => reason);
    const [event] = (await bus.engine.history.find(ANONYMOUS, {}, { limit: 1, direction: 'forward' })).records;
    const details = { name: 'wrong', eventId: event!.id };
    expect(error).toMatchObject({ code, message: expect.stringMatching(words), details });
    expect(error.message).toMatch(new RegExp(`projection wrong .*event ${event!.id}`));
    expect(wrong.status).toBe('failed');
    await bus.close();
  });

  it.each([
    [{ name: 'a/b' }],
    [{ name: '' }],
    [{ version: 0 }],
    [{ snapshotEvery: 1.5 }],
    [{ apply: undefined }],
    [{ initial: undefined }],
    [{ key: 'id' }],
  ])('is refused: %j', async (wrong) => {
    const bus = await openMemory();
    await expect(open(bus, { ...SUMS, ...(wrong as object) })).rejects.toThrow(TypeError);
    await bus.close();
  });

  it('is refused with a pattern or a filter that cannot be read, and when it is open already', async () => {
    const bus = await openMemory();
    await expect(open(bus, { ...SUMS, topic: 'a..b' })).rejects.toMatchObject({ code: 'invalid_pattern' });
    const filter = { colour: 'red' } as object;
    await expect(open(bus, { ...SUMS, filter })).rejects.toMatchObject({ code: 'invalid_filter' });
    // A misspelt filter would fold everything.
    const misspelt = { ...SUMS, filtr: {} };
    await expect(open(bus, misspelt)).rejects.toThrow(/^A projection has no option "filtr"/);
    const sums = await open(bus, SUMS);
    await expect(open(bus, SUMS)).rejects.toMatchObject({ code: 'projection_conflict' });
    await sums.close();
    await (await open(bus, SUMS)).close();
    await bus.close();
  });
});

describe('a projection of several processes', () => {
  it('says so when it is lost to another one while it shall be folded anew', async () => {
    const engines = await SeveralEngines.of(2);
    const [first, second] = engines.all as [EngineUnderTest, EngineUnderTest];
    const projection = await open(first, SUMS);
    await open(second, SUMS);
    await second.publishMany(10, 0);
    await engines.time.run(projection.caughtUp());
    engines.sleep(first, 30_000);
    await engines.time.advance(25_000);
    // It does not know yet that another one folds.
    expect(projection.status).toBe('folding');
    const rebuilding = projection.rebuild().then(
      () => 'rebuilt',
      (error: unknown) => (error as { code: string }).code,
    );
    await engines.time.advance(20_000);
    expect(await Promise.race([rebuilding, 'no answer'])).toBe('lease_lost');
    await engines.close();
  });

  it('is folded by one and read by the others; another one takes over within ten seconds', async () => {
    const engines = await SeveralEngines.of(3);
    const projections = [];
    for (const bus of engines.all) projections.push(await open(bus, SUMS));
    expect(projections.map(({ status }) => status)).toEqual(['folding', 'following', 'following']);
    const [first, second] = engines.all as [EngineUnderTest, EngineUnderTest];
    await second.publishMany(10, 0);
    await engines.time.run(Promise.all(projections.map((each) => each.caughtUp())));
    for (const each of projections) {
      expect(each.state).toEqual(plainFold(range(0, 10))['']);
      expect(await engines.time.run(each.get())).toEqual(each.state);
    }
    await expect(engines.time.run(projections[1]!.rebuild())).rejects.toMatchObject({ code: 'lease_lost' });

    await second.publishMany(3, 10);
    engines.crash(first);
    const crashedMs = engines.time.monotonicMs();
    await engines.time.run(projections[1]!.caughtUp());
    expect(engines.time.monotonicMs() - crashedMs).toBeLessThanOrEqual(10_000);
    expect(projections[1]!.state).toEqual(plainFold(range(0, 13))['']);
    expect(
      projections
        .slice(1)
        .map(({ status }) => status)
        .toSorted(),
    ).toEqual(['folding', 'following']);
    for (const bus of engines.all) await bus.close();
  });
});

describe('foldEvents', () => {
  it('is the state at a point in time, of an aggregate or of everything', async () => {
    const bus = await openMemory();
    const fold = (request: object) =>
      bus.time.run(
        bus.engine.history.fold(ANONYMOUS, {
          initial: () => [] as number[],
          apply: (state: number[], event: Event) => void state.push(numberOf(event)),
          ...request,
        }),
      );
    await bus.publishMany(3, 0, { topic: 'orders/1' });
    await bus.time.advance(1_000);
    const until = new Date(bus.time.wallMs());
    await bus.publishMany(2, 3, { topic: 'orders/1', source: 'other' });
    await bus.publishMany(1, 9, { topic: 'orders/2' });
    expect(await fold({ topic: 'orders/1' })).toEqual([0, 1, 2, 3, 4]);
    expect(await fold({ topic: 'orders/1', until })).toEqual([0, 1, 2]);
    expect(await fold({})).toEqual([0, 1, 2, 3, 4, 9]);
    expect(await fold({ filter: { sources: ['other'] } })).toEqual([3, 4]);
    expect(await fold({ topic: 'orders/3' })).toEqual([]);
    await expect(fold({ until: 'yesterday' })).rejects.toMatchObject({ code: 'invalid_query' });
    await bus.close();
  });

  it('takes null for a state', async () => {
    const bus = await openMemory();
    await bus.publishMany(4, 0);
    const apply = (state: number | null, event: Event) => (numberOf(event) === 2 ? null : (state ?? 100) + 1);
    const fold = bus.engine.history.fold(ANONYMOUS, { initial: 0, apply });
    expect(await bus.time.run(fold)).toBe(101);
    await bus.close();
  });

  it('reads large events a few at a time', async () => {
    const { open, kept } = durableWorld();
    const bus = await open();
    const pad = Array.from({ length: 20 }, () => 'x'.repeat(10_000));
    for (let n = 0; n < 40; n++) await bus.publish({ payload: { n, pad } });
    const limits: number[] = [];
    kept.interfere = (call, [, options]) => {
      if (call === 'find') limits.push((options as { readonly limit: number }).limit);
    };
    const request = { initial: 0, apply: (count: number) => count + 1 };
    expect(await bus.time.run(bus.engine.history.fold(ANONYMOUS, request))).toBe(40);
    // About a megabyte at once, also in the first page, of which nobody knows.
    expect(Math.max(...limits)).toBeLessThanOrEqual(8);
    await bus.close();
  });
});

/** Events that another process appended. */
async function append({ kept }: KeptAdapter, from: number, to: number): Promise<void> {
  if (to > from) await kept.store.append(sampleEvents(to - from, from));
}

/** Ends the process at one of the commits of its projections. */
function crashAtCommit(kept: KeptAdapter, bus: EngineUnderTest, at: number, when: 'before' | 'after'): void {
  let count = 0;
  kept.interfere = (call, [changes]) => {
    if (call !== 'commit' || !(changes as { kind: string }[]).some(({ kind }) => kind === 'projection')) return;
    if (++count !== at) return;
    if (when === 'before') bus.crash();
    else queueMicrotask(() => bus.crash());
  };
}
