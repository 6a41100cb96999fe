import {
  AdapterEventStore,
  type Appendable,
  type BusEventStore,
  EventBus,
  EventManagerError,
  EventReplayService,
  InMemoryEventStore,
  memory,
  type StoreOutcome,
} from '@event-manager/core';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { moduleFolder } from '../module-folder.ts';
import { virtualBus } from '../virtual-bus.ts';

const event = { type: 'task_created', topic: 'task/created', data: { n: 1 } };

/** A store whose answers the test gives, one call after the other. */
class HeldStore extends InMemoryEventStore implements BusEventStore {
  readonly calls: { readonly ids: string[]; readonly proceed: () => void; readonly refuse: (error: Error) => void }[] =
    [];

  override append(events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
    return new Promise((resolve, reject) => {
      const ids = events.map(({ id }) => id);
      this.calls.push({ ids, proceed: () => resolve(super.append(events)), refuse: reject });
    });
  }
}

it('acknowledges and delivers an event once the store has it, and not before', async () => {
  const store = new HeldStore();
  const bus = keptBus({ eventStore: store });
  const received: unknown[] = [];
  await bus.subscribe('task.*', ({ id }) => void received.push(id));
  let isAcknowledged = false;
  const publishing = bus.publish(event).then((result) => {
    isAcknowledged = true;
    return result as { id: string };
  });
  await expect.poll(() => store.calls.length).toBe(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect([isAcknowledged, received]).toEqual([false, []]);
  store.calls[0]!.proceed();
  const { id } = await publishing;
  expect(received).toEqual([id]);
  expect((await store.read({ limit: 10 })).records.map((record) => record.id)).toEqual([id]);
});

it('keeps the order of publishing, whichever call the store is done with first', async () => {
  const store = new HeldStore();
  const bus = keptBus({ eventStore: store });
  const received: unknown[] = [];
  await bus.subscribe('task.*', ({ data }) => void received.push(data['n']));
  const publishing: Promise<unknown>[] = [];
  for (const n of [1, 2, 3]) {
    publishing.push(bus.publish({ ...event, data: { n } }));
    await expect.poll(() => store.calls.length).toBe(n);
  }
  for (const call of store.calls.toReversed()) call.proceed();
  await Promise.all(publishing);
  expect(received).toEqual([1, 2, 3]);
});

it('refuses an event that the store refuses, stores and delivers nothing of it, and goes on', async () => {
  const store = new HeldStore();
  const bus = keptBus({ eventStore: store });
  const received: unknown[] = [];
  await bus.subscribe('task.*', ({ data }) => void received.push(data['n']));
  const refused = bus.publish(event);
  const stored = new Promise((resolve) => setImmediate(resolve)).then(() => bus.publish({ ...event, data: { n: 2 } }));
  await expect.poll(() => store.calls.length).toBe(2);
  store.calls[1]!.proceed();
  store.calls[0]!.refuse(new EventManagerError('store_failed', 'broken'));
  await expect(refused).rejects.toMatchObject({ code: 'store_failed' });
  await stored;
  expect(received).toEqual([2]);
  expect((await bus.getStats()).publishedEvents).toBe(1);
});

it('hears of a refusal whose turn has not come, and lets nothing overtake what a store has that was taken away', async () => {
  const store = new HeldStore();
  const bus = keptBus({ eventStore: store });
  const received: unknown[] = [];
  await bus.subscribe('task.*', ({ data }) => void received.push(data['n']));
  const first = bus.publish(event);
  await expect.poll(() => store.calls.length).toBe(1);
  const refused = bus.publish({ ...event, data: { n: 2 } });
  refused.catch(() => {});
  await expect.poll(() => store.calls.length).toBe(2);
  store.calls[1]!.refuse(new EventManagerError('store_failed', 'broken'));
  bus.setEventStore(undefined);
  const last = bus.publish({ ...event, data: { n: 3 } });
  // An unhandled rejection would come within a turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect(received).toEqual([]);
  store.calls[0]!.proceed();
  await Promise.all([first, last]);
  await expect(refused).rejects.toMatchObject({ code: 'store_failed' });
  expect(received).toEqual([1, 3]);
});

it('refuses another event under an id that the store has, though the log does not know it', async () => {
  const store = new InMemoryEventStore();
  const first = new EventBus({ eventStore: store });
  const { id } = (await first.publish(event)) as { id: string };
  await first.close();
  const bus = keptBus({ eventStore: store });
  const [conflict, same, other] = await Promise.allSettled([
    bus.publish({ ...event, id, data: { n: 9 } }),
    bus.publish({ ...event, id }),
    bus.publish(event),
  ]);
  expect(conflict).toMatchObject({ status: 'rejected', reason: { code: 'id_conflict' } });
  expect(same).toMatchObject({ status: 'fulfilled', value: { id, duplicate: false } });
  expect(other).toMatchObject({ status: 'fulfilled' });
  expect(store.size).toBe(2);
});

it('can be set, changed and ended while the bus runs', async () => {
  const bus = keptBus();
  const [first, second] = [new InMemoryEventStore(), new InMemoryEventStore()];
  await bus.publish(event);
  bus.setEventStore(first);
  await bus.publish(event);
  bus.setEventStore(second);
  await bus.publish(event);
  await bus.publish(event);
  bus.setEventStore(undefined);
  await bus.publish(event);
  expect([first.size, second.size]).toEqual([1, 2]);
});

it('keeps no events of the bus about itself', async () => {
  const store = new InMemoryEventStore();
  const bus = keptBus({ eventStore: store, systemEvents: true });
  await bus.subscribe('task.*', () => ({ success: false, retry: false }), { consumerGroup: 'a' });
  await bus.publish(event);
  await bus.settled();
  await expect.poll(async () => (await bus.eventManager.getEvents({ topic: '$sys/#' })).length).toBeGreaterThan(0);
  expect(store.size).toBe(1);
});

it('keeps what is for later when its time has come', async () => {
  const store = new InMemoryEventStore();
  const bus = keptBus({ eventStore: store });
  await bus.publish({ ...event, delayMs: 20 });
  expect(store.size).toBe(0);
  await expect.poll(() => store.size).toBe(1);
});

it('lets the log of a bus without a store be read in the same way', async () => {
  const bus = keptBus({ adapter: memory() });
  await bus.publish(event);
  const { events } = await new EventReplayService(bus.eventStore).replayEvents();
  expect(events.map(({ data }) => data)).toEqual([{ n: 1 }]);
  await expect(bus.eventStore.append([])).rejects.toThrow(TypeError);
});

it('is not healthy with a store that takes nothing any more', async () => {
  const store = Object.assign(new InMemoryEventStore(), { failure: undefined as Error | undefined });
  const bus = keptBus({ eventStore: store });
  expect([await bus.isHealthy(), (await bus.getStats()).isHealthy]).toEqual([true, true]);
  store.failure = new EventManagerError('store_failed', 'broken');
  expect([await bus.isHealthy(), (await bus.getStats()).isHealthy]).toEqual([false, false]);
});

it('opens the store when it is told to, and closes it with the bus', async () => {
  const words: string[] = [];
  const store = Object.assign(new InMemoryEventStore(), {
    open: async () => void words.push('open'),
    close: async () => void words.push('close'),
  });
  const bus = new EventBus({ eventStore: store });
  await bus.initialize();
  expect(words).toEqual(['open']);
  await bus.close();
  expect(words).toEqual(['open', 'close']);
});

it('is closed with the bus that it was given to, also when another one took its place', async () => {
  const closed: string[] = [];
  class NamedStore extends InMemoryEventStore {
    readonly #word: string;

    constructor(word: string) {
      super();
      this.#word = word;
    }

    override async close(): Promise<void> {
      closed.push(this.#word);
      if (this.#word === 'second') throw new EventManagerError('store_failed', 'The disk is gone.');
    }
  }
  const bus = new EventBus({ eventStore: new NamedStore('first') });
  bus.setEventStore(new NamedStore('second'));
  const third = new NamedStore('third');
  bus.setEventStore(third);
  bus.setEventStore(undefined);
  bus.setEventStore(third);
  bus.setEventStore(undefined);
  await bus.publish(event);
  expect(closed).toEqual([]);
  await expect(bus.close()).rejects.toMatchObject({ code: 'store_failed' });
  expect(closed.toSorted()).toEqual(['first', 'second', 'third']);
});

it('gets an event for later when its time has come', async () => {
  const store = new InMemoryEventStore();
  const { bus, time } = virtualBus({ eventStore: store });
  const count = async () => (await store.read({ limit: 10 })).records.length;
  await time.run(bus.publish({ ...event, delayMs: 60_000 }));
  expect(await count()).toBe(0);
  await time.advance(61_000);
  expect(await count()).toBe(1);
  await time.run(bus.close());
});

it('is closed also when a plugin cannot be', async () => {
  const { path, write } = moduleFolder();
  write(
    'odd.mjs',
    `export default () => ({ middleware: (_, next) => next(), close() { throw new RangeError('odd'); } });`,
  );
  let isClosed = false;
  class ToldStore extends InMemoryEventStore {
    override async close(): Promise<void> {
      isClosed = true;
    }
  }
  const bus = new EventBus({ eventStore: new ToldStore() });
  await bus.usePlugins([{ path: './odd.mjs' }], { from: path });
  await expect(bus.close()).rejects.toThrow('odd');
  expect(isClosed).toBe(true);
});

it('tells what a store throws with a code, and goes on: also for an event whose time has come', async () => {
  const store = new HeldStore();
  const { bus, time } = virtualBus({ eventStore: store });
  const received: unknown[] = [];
  await time.run(bus.subscribe('task.*', ({ data }) => void received.push(data['n'])));
  await time.run(bus.publish({ ...event, delayMs: 1_000 }));
  await time.advance(1_000);
  store.calls[0]!.refuse(new RangeError('ECONNREFUSED'));
  const refused = bus.publish({ ...event, data: { n: 2 } });
  refused.catch(() => {});
  await time.advance(0);
  store.calls[1]!.refuse(Object.create(null) as Error);
  await expect(refused).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
  await time.advance(2_000);
  store.calls[2]!.proceed();
  await time.advance(0);
  expect(received).toEqual([1]);
  expect(await time.run(bus.isHealthy())).toBe(true);
  await time.run(bus.close());
});

it.each([
  ['nothing', undefined],
  ['too few', []],
  ['what it should not', ['kept']],
])('acknowledges nothing when a store answers %s', async (_, answer) => {
  class OddStore extends InMemoryEventStore {
    override async append(): Promise<readonly StoreOutcome[]> {
      return answer as never;
    }
  }
  const bus = keptBus({ eventStore: new OddStore() });
  await expect(bus.publish(event)).rejects.toMatchObject({ code: 'store_failed', details: { store: 'memory' } });
  expect(await bus.eventManager.getEvents()).toHaveLength(0);
  expect(() => bus.setEventStore({} as never)).toThrow(TypeError);
});

it('is not healthy when the adapter has stopped that its store is made of, and is closed though that never opened', async () => {
  const adapter = memory();
  const bus = keptBus({ eventStore: new AdapterEventStore(adapter) });
  await bus.publish(event);
  expect(await bus.isHealthy()).toBe(true);
  const health = adapter.health();
  adapter.health = () => ({ ...health, status: 'failed', reason: 'a sync failed' });
  expect(await bus.isHealthy()).toBe(false);
  expect(bus.eventStore.failure).toMatchObject({
    code: 'store_failed',
    message: expect.stringContaining('a sync failed'),
  });
  const opening = Promise.withResolvers<void>();
  const locked = new AdapterEventStore(Object.assign(memory(), { open: () => opening.promise }));
  const opened = locked.open();
  const closing = locked.close();
  opening.reject(new EventManagerError('store_locked', 'Somebody has it.'));
  await expect(opened).rejects.toMatchObject({ code: 'store_locked' });
  await closing;
});

it('does not keep events a second time where it keeps them already', async () => {
  const adapter = memory();
  const bus = keptBus({ adapter });
  expect(() => bus.setEventStore(bus.eventStore)).toThrow(/as it is/);
  expect(() => bus.setEventStore(new AdapterEventStore(adapter))).toThrow(/as it is/);
  const seen: unknown[] = [];
  await bus.subscribe('task.*', ({ id }) => void seen.push(id));
  expect(await bus.publish(event)).toMatchObject({ duplicate: false });
  expect(seen).toHaveLength(1);
});
