import { EventReplayService, InMemoryEventStore, SnapshotService } from '@event-manager/core';
import { sampleEvent, sampleEvents, sampleId } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';

it('keeps the newest events and says where it begins', async () => {
  const store = new InMemoryEventStore(10);
  for (let n = 0; n < 57; n++) {
    await store.append([sampleEvent(n)]);
    const { records, first } = await store.read({ limit: 100 });
    expect(store.size).toBe(Math.min(n + 1, 10));
    expect(records.map(({ id }) => id)).toEqual(
      Array.from({ length: store.size }, (_, at) => sampleId(n - store.size + 1 + at)),
    );
    expect(first).toBe(Math.max(1, n - 8));
  }
  expect(await store.append([sampleEvent(56), sampleEvent(3)])).toEqual(['duplicate', 'stored']);
});

it('has replays and snapshots say what they missed', async () => {
  const store = new InMemoryEventStore(10);
  const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
  const counted = { name: 'n', initial: { n: 0 }, apply: ({ n }: { n: number }) => ({ n: n + 1 }) };
  await store.append(sampleEvents(5));
  expect(await snapshots.load(counted)).toMatchObject({ state: { n: 5 }, missing: 0 });
  await store.append(sampleEvents(7, 5));
  // What is gone lies before the snapshot.
  expect(await snapshots.load(counted)).toMatchObject({ state: { n: 12 }, missing: 0, snapshotPosition: 5 });
  await store.append(sampleEvents(20, 12));
  expect(await snapshots.load(counted)).toMatchObject({ state: { n: 22 }, missing: 10, snapshotPosition: 12 });
  // A state that misses events is no snapshot.
  expect(await store.loadSnapshot('n')).toMatchObject({ position: 12 });
  expect(await new EventReplayService(store).replayEvents()).toMatchObject({ replayed: 10, missing: 22 });
});

it('bounds what can be read back and not what is owed', async () => {
  const bus = keptBus({ eventStore: new InMemoryEventStore(3) });
  const received: unknown[] = [];
  await bus.subscribe('#', ({ data }) => void received.push(data['n']));
  await Promise.all(Array.from({ length: 50 }, (_, n) => bus.publish({ type: 'a', data: { n } })));
  expect(received).toHaveLength(50);
});

it('needs room for an event', () => {
  for (const eventsMax of [0, 2.5, Number.NaN]) expect(() => new InMemoryEventStore(eventsMax)).toThrow(TypeError);
});
