import {
  type EventBusAdapter,
  EventManager,
  type MovableAdapter,
  type MoveProgress,
  memory,
  moveStore,
} from '@event-manager/core';
import { sampleEvents } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';

async function filled(count: number): Promise<ReturnType<typeof memory>> {
  const adapter = memory();
  await adapter.open();
  await adapter.store.append(sampleEvents(count));
  await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
  await adapter.close();
  return adapter;
}

/** The same adapter with another store or state. */
function changed(adapter: ReturnType<typeof memory>, parts: Partial<EventBusAdapter>): MovableAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      if (name in parts) return Reflect.get(parts, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

it('notices every change of what was copied before the move counts', async () => {
  const flips: ((adapter: ReturnType<typeof memory>) => Partial<EventBusAdapter>)[] = [
    ({ store }) => ({ store: readingAs(store, (event) => ({ ...event, recordedAtMs: event.recordedAtMs + 1 })) }),
    ({ store }) => ({ store: readingAs(store, (event) => ({ ...event, flags: event.flags ^ 1 })) }),
    ({ store }) => ({
      store: readingAs(store, (event) => ({ ...event, body: Buffer.from(event.body).fill(32, 9, 10) })),
    }),
    ({ store }) => ({ store: bound(store, { get: async () => [undefined] }) }),
    ({ state }) => ({ state: bound(state, { load: async () => ({ entries: [] }) }) }),
  ];
  for (const flip of flips) {
    const source = await filled(20);
    const target = memory();
    const moved = moveStore({ source, target: changed(target, flip(target)) });
    await expect(moved).rejects.toMatchObject({ code: 'corrupt_record' });
    // The source is in use as before, the target is not.
    await source.open();
    await expect(target.open()).rejects.toMatchObject({ code: 'store_incomplete' });
  }
});

it('tells how far it is, in the order of its stages', async () => {
  const seen: MoveProgress[] = [];
  await moveStore({ source: await filled(10_000), target: memory(), onProgress: (progress) => seen.push(progress) });
  const stages = [...new Set(seen.map(({ stage }) => stage))];
  expect(stages).toEqual(['copying events', 'copying records', 'verifying events', 'verifying records']);
  const copied = seen.filter(({ stage }) => stage === 'copying events');
  expect(copied.length).toBeGreaterThan(2);
  expect(copied.at(-1)).toEqual({ stage: 'copying events', done: 10_000, total: 10_000 });
});

it('moves nothing out of a damaged store', async () => {
  const source = changed(await filled(3), { health: () => ({ status: 'read-only', facts: {} }) });
  await expect(moveStore({ source, target: memory() })).rejects.toMatchObject({ code: 'store_read_only' });
});

it('leaves neither store in use when it ends between the two marks', async () => {
  const source = await filled(3);
  const target = memory();
  const torn = changed(target, {
    openToRestore: async (extent: { first: number; head: number }) => {
      const restoration = await target.openToRestore(extent);
      return { ...restoration, complete: () => Promise.reject(new TypeError('gone')) };
    },
  } as Partial<MovableAdapter>);
  await expect(moveStore({ source, target: torn })).rejects.toThrow('gone');
  await expect(source.open()).rejects.toMatchObject({ code: 'store_moved' });
  await expect(target.open()).rejects.toMatchObject({ code: 'store_incomplete' });
  await source.stay();
  expect(await moveStore({ source, target })).toMatchObject({ events: 3 });
});

it('lets subscriptions go on where they stood, with their retries, dead letters and schedules', async () => {
  const source = memory();
  const before = new EventManager({ adapter: source });
  const { id } = await before.subscribe({ name: 'work', topic: '#' });
  await before.publishBatch(
    Array.from({ length: 6 }, (_, n) => ({ type: 'thing.made', source: 'test', payload: { n } })),
  );
  await before.publish({ type: 'thing.due', source: 'test', payload: {}, delayMs: 3_600_000 });
  const [first, second] = await before.pull(id, { max: 2, waitMs: 1_000 });
  await first!.ack();
  await second!.nack({ retry: false, error: 'unfit' });
  await before.close();

  const target = memory();
  await moveStore({ source, target });
  const after = new EventManager({ adapter: target });
  const pulled = await after.pull(id, { max: 10, waitMs: 1_000 });
  expect(pulled.map(({ event }) => event.payload['n'])).toEqual([2, 3, 4, 5]);
  expect((await after.listDeadLetters(id)).map(({ eventId }) => eventId)).toEqual([second!.event.id]);
  await after.close();
});

type Store = EventBusAdapter['store'];
type Read = Awaited<ReturnType<Store['read']>>['records'][number];

function readingAs(store: Store, change: (event: Read) => Read): Store {
  return bound(store, {
    async read(...args: Parameters<Store['read']>) {
      const page = await store.read(...args);
      return { ...page, records: page.records.map(change) };
    },
  });
}

function bound<T extends object>(target: T, parts: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in parts) return Reflect.get(parts, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
