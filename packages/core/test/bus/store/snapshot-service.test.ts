import { InMemoryEventStore, type KeptSnapshot, memory, SnapshotService } from '@event-manager/core';
import { sampleEvents } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

const counted = {
  name: 'count',
  initial: { n: 0 },
  apply: (state: { n: number }) => void state.n++,
};

it('folds only what came after the latest snapshot', async () => {
  const store = new InMemoryEventStore();
  const snapshots = new SnapshotService(store, { snapshotEvery: 10 });
  await store.append(sampleEvents(9));
  expect(await snapshots.load(counted)).toMatchObject({ state: { n: 9 }, folded: 9, snapshotPosition: 0 });
  expect(await store.loadSnapshot('count')).toBeUndefined();
  await store.append(sampleEvents(1, 9));
  expect(await snapshots.load(counted)).toMatchObject({ state: { n: 10 }, folded: 10, snapshotPosition: 0 });
  await store.append(sampleEvents(3, 10));
  expect(await snapshots.load(counted)).toMatchObject({ state: { n: 13 }, folded: 3, snapshotPosition: 10 });
  // The initial state was changed by nobody.
  expect(counted.initial).toEqual({ n: 0 });
});

it('folds anew for another version, on request, and after the snapshot was forgotten', async () => {
  const store = new InMemoryEventStore();
  const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
  await store.append(sampleEvents(5));
  await snapshots.load(counted);
  const twice = { ...counted, version: 2, apply: (state: { n: number }) => ({ n: state.n + 2 }) };
  expect(await snapshots.load(twice)).toMatchObject({ state: { n: 10 }, folded: 5 });
  expect(await snapshots.load(twice)).toMatchObject({ state: { n: 10 }, folded: 0 });
  expect(await snapshots.rebuild(twice)).toMatchObject({ state: { n: 10 }, folded: 5 });
  await snapshots.remove('count');
  expect(await snapshots.load(twice)).toMatchObject({ state: { n: 10 }, folded: 5 });
});

it('shows a state as it was at a moment, from a snapshot where that is old enough', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime, eventStore: new InMemoryEventStore(100, { clock: time }) });
  const moments: number[] = [];
  const snapshots = new SnapshotService(bus.eventStore, { snapshotEvery: 5 });
  for (let n = 0; n < 10; n++) {
    moments.push(time.wallMs());
    await time.run(bus.publish({ type: 'a', data: {} }));
    if (n === 4) await snapshots.load(counted);
    await time.advance(1_000);
  }
  for (const [n, moment] of moments.entries()) {
    const { state, snapshotPosition } = await snapshots.at(counted, moment);
    expect(state).toEqual({ n });
    expect(snapshotPosition).toBe(n > 4 ? 5 : 0);
  }
  expect(await bus.eventStore.loadSnapshot('count')).toMatchObject({ position: 5 });
});

it.each([
  ['a date', { at: new Date(0) }],
  ['a map', { map: new Map() }],
  ['no number', { n: Number.NaN }],
])('refuses a state with %s, which JSON would make another one of', async (_, initial) => {
  const store = new InMemoryEventStore();
  await store.append(sampleEvents(1));
  const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
  await expect(snapshots.load({ name: 'x', initial, apply: () => undefined })).rejects.toThrow(TypeError);
  expect(await store.loadSnapshot('x')).toBeUndefined();
});

it('refuses a definition that cannot be meant', async () => {
  const snapshots = new SnapshotService(new InMemoryEventStore());
  await expect(snapshots.load({ ...counted, name: '' })).rejects.toThrow(TypeError);
  await expect(snapshots.load({ ...counted, version: 1.5 })).rejects.toThrow(TypeError);
  await expect(snapshots.load({ ...counted, every: 5 } as never)).rejects.toThrow('every');
  expect(() => new SnapshotService(new InMemoryEventStore(), { snapshotEvery: 0 })).toThrow(TypeError);
});

it('takes null for a state', async () => {
  const store = new InMemoryEventStore();
  const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
  type Kept = { n: number } | null;
  const definition = {
    name: 'kept',
    initial: (): Kept => ({ n: 0 }),
    apply: (state: Kept, { data }: { data: { n: number } }): Kept =>
      data.n === 1 ? null : { n: (state?.n ?? 100) + 1 },
  };
  await store.append(sampleEvents(2));
  expect(await snapshots.load(definition)).toMatchObject({ state: null, folded: 2 });
  expect(await snapshots.load(definition)).toMatchObject({ state: null, folded: 0 });
  await store.append(sampleEvents(1, 2));
  expect(await snapshots.load(definition)).toMatchObject({ state: { n: 101 } });
});

/** A store that keeps the next snapshot back until it is told to go on. */
class SlowStore extends InMemoryEventStore {
  readonly gate = Promise.withResolvers<void>();
  isSlow = false;

  override async read(request: Parameters<InMemoryEventStore['read']>[0]) {
    const page = await super.read(request);
    if (this.isSlow) await this.gate.promise;
    return page;
  }
}

it('does not bring back what was rebuilt or forgotten while it folded', async () => {
  for (const change of ['rebuild', 'remove'] as const) {
    const store = new SlowStore();
    const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
    await store.append(sampleEvents(3));
    await store.saveSnapshot('count', { state: { n: 1_000 }, version: 1, position: 2, recordedAtMs: 0 });
    store.isSlow = true;
    const fromWrongOne = snapshots.load(counted);
    await new Promise((resolve) => setImmediate(resolve));
    store.isSlow = false;
    if (change === 'rebuild') await new SnapshotService(store).rebuild(counted);
    else await snapshots.remove('count');
    store.gate.resolve();
    expect(await fromWrongOne).toMatchObject({ state: { n: 1_001 } });
    expect(await snapshots.load(counted)).toMatchObject({ state: { n: 3 } });
  }
});

it('never sets back a snapshot that another fold kept meanwhile', async () => {
  const store = new SlowStore();
  const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
  await store.append(sampleEvents(3));
  store.isSlow = true;
  const slow = snapshots.load(counted);
  await new Promise((resolve) => setImmediate(resolve));
  store.isSlow = false;
  await store.append(sampleEvents(3, 3));
  await snapshots.load(counted);
  store.gate.resolve();
  expect(await slow).toMatchObject({ state: { n: 3 } });
  expect(await store.loadSnapshot('count')).toMatchObject({ position: 6, state: { n: 6 } });
});

it('changes no snapshot that a store hands out as it has it', async () => {
  const store = new InMemoryEventStore();
  const kept = new Map<string, KeptSnapshot>();
  store.loadSnapshot = async (name) => kept.get(name);
  store.saveSnapshot = async (name, snapshot) => void kept.set(name, snapshot!);
  const snapshots = new SnapshotService(store, { snapshotEvery: 4 });
  await store.append(sampleEvents(4));
  await snapshots.load(counted);
  await store.append(sampleEvents(3, 4));
  for (const folded of [3, 3]) expect(await snapshots.load(counted)).toMatchObject({ state: { n: 7 }, folded });
});

it('leaves the snapshot where it is when the fold that was to replace it fails', async () => {
  const store = new InMemoryEventStore();
  const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
  await store.append(sampleEvents(3));
  await snapshots.load(counted);
  const apply = () => {
    throw new RangeError('no');
  };
  await expect(snapshots.rebuild({ ...counted, apply })).rejects.toThrow('no');
  expect(await snapshots.load(counted)).toMatchObject({ folded: 0, state: { n: 3 } });
});

it('notices what is removed from a log while it reads that', async () => {
  const adapter = memory();
  const bus = keptBus({ adapter });
  for (let n = 0; n < 4; n++) await bus.publish('a', 'a', { n });
  const read = adapter.store.read.bind(adapter.store);
  adapter.store.read = async (...given) => {
    await adapter.store.trim([{ partition: 0, position: 2 }]);
    return read(...given);
  };
  const snapshots = new SnapshotService(bus.eventStore, { snapshotEvery: 1 });
  expect(await snapshots.load(counted)).toMatchObject({ state: { n: 2 }, missing: 2 });
  expect(await bus.eventStore.loadSnapshot('count')).toBeUndefined();
});

it('refuses a fold that answers with a promise', async () => {
  const store = new InMemoryEventStore();
  await store.append(sampleEvents(2));
  const apply = async ({ n }: { n: number }) => ({ n: n + 1 });
  const loading = new SnapshotService(store).load({ ...counted, apply: apply as never });
  await expect(loading).rejects.toThrow(TypeError);
});
