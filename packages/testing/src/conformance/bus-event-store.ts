import {
  type BusEventStore,
  type Clock,
  type KeptSnapshot,
  SnapshotService,
  type StoreRead,
} from '@event-manager/core';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { sampleEvent, sampleEvents, sampleId } from './sample-event.ts';

/** What a store's own test hands to the suite. */
export interface BusEventStoreHarness {
  readonly name: string;
  /** Opens a store on nothing, which takes its time from `clock`. */
  open(clock: Clock): Promise<OpenedBusEventStore>;
}

export interface OpenedBusEventStore {
  readonly store: BusEventStore;
  /** Closes it and opens one on the same data; absent where nothing outlives a store. */
  reopen?(): Promise<BusEventStore>;
  /** Closes what is open and removes the data. */
  dispose(): Promise<void>;
}

const START_MS = 1_767_225_600_000;
const STEP_MS = 1_000;

/** Stands until it is set. */
class SettableClock implements Clock {
  nowMs = START_MS;

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }
}

/** What every store that a bus can be given does. */
export function busEventStoreConformance(harness: BusEventStoreHarness): void {
  describe(`event store of a bus: ${harness.name}`, () => {
    const opened: OpenedBusEventStore[] = [];
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.dispose();
    });
    const start = async () => {
      const clock = new SettableClock();
      const each = await harness.open(clock);
      opened.push(each);
      const reopen = async () => each.reopen?.() ?? each.store;
      return { store: each.store, clock, reopen, lasts: each.reopen !== undefined };
    };
    appends(start);
    reads(start);
    keepsSnapshots(start);
  });
}

type Start = () => Promise<{
  readonly store: BusEventStore;
  readonly clock: SettableClock;
  readonly reopen: () => Promise<BusEventStore>;
  readonly lasts: boolean;
}>;

async function readAll(store: BusEventStore, request: Partial<StoreRead> = {}) {
  const found: { id: string; position: number; text: string }[] = [];
  let after = request.after ?? 0;
  for (;;) {
    const { records, next } = await store.read({ limit: 7, ...request, after });
    found.push(...records.map(({ id, position, body }) => ({ id, position, text: Buffer.from(body).toString() })));
    if (next === undefined) return found;
    expect(next).toBeGreaterThanOrEqual(after);
    after = next;
  }
}

const idsOf = async (store: BusEventStore, request?: Partial<StoreRead>) =>
  (await readAll(store, request)).map(({ id }) => id);

function appends(start: Start): void {
  it('keeps events in the order of appending, byte for byte, and over a restart', async () => {
    const { store, reopen } = await start();
    const events = sampleEvents(30);
    const calls = [store.append(events.slice(0, 10)), ...events.slice(10).map((event) => store.append([event]))];
    const outcomes = (await Promise.all(calls)).flat();
    expect(outcomes).toEqual(events.map(() => 'stored'));
    const found = await readAll(await reopen());
    expect(found.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(found.map(({ text }) => text)).toEqual(events.map(({ body }) => Buffer.from(body).toString()));
    for (const [at, { position }] of found.entries()) expect(position).toBeGreaterThan(found[at - 1]?.position ?? 0);
  });

  it('knows an id again, in the same call, in another one and after a restart', async () => {
    const { store, reopen } = await start();
    const [first, other] = [sampleEvent(1), sampleEvent(1, { payload: 'other' })];
    expect(await store.append([first, first, other])).toEqual(['stored', 'duplicate', 'conflict']);
    const again = await reopen();
    expect(await again.append([other, sampleEvent(2), first])).toEqual(['conflict', 'stored', 'duplicate']);
    expect(await idsOf(again)).toEqual([sampleId(1), sampleId(2)]);
    expect((await readAll(again))[0]!.text).toBe(Buffer.from(first.body).toString());
  });

  it('goes on behind its last position after a restart', async () => {
    const { store, reopen } = await start();
    await store.append(sampleEvents(5));
    const again = await reopen();
    await again.append(sampleEvents(5, 5));
    expect(await idsOf(again)).toEqual(Array.from({ length: 10 }, (_, n) => sampleId(n)));
  });

  it('takes nothing that was closed, and closes twice', async () => {
    const { store, lasts } = await start();
    await store.append(sampleEvents(1));
    await store.close();
    await store.close();
    if (lasts) await expect(store.append(sampleEvents(1, 1))).rejects.toMatchObject({ code: 'closed' });
  });
}

function reads(start: Start): void {
  it('finds by topic, by type and by time, from a position and page by page', async () => {
    const { store, clock } = await start();
    const kinds = [
      { topic: 'task/created', type: 'task_created' },
      { topic: 'task/deleted', type: 'task_deleted' },
      { topic: 'order/7', type: 'order.placed' },
    ];
    for (let n = 0; n < 30; n++) {
      clock.nowMs = START_MS + n * STEP_MS;
      await store.append([sampleEvent(n, kinds[n % 3]!)]);
    }
    const ids = (wanted: (n: number) => boolean) =>
      Array.from({ length: 30 }, (_, n) => n)
        .filter(wanted)
        .map(sampleId);
    expect(await idsOf(store, { topic: 'task.created' })).toEqual(ids((n) => n % 3 === 0));
    expect(await idsOf(store, { topic: 'task/*' })).toEqual(ids((n) => n % 3 !== 2));
    expect(await idsOf(store, { types: ['task_created'] })).toEqual(ids((n) => n % 3 === 0));
    expect(await idsOf(store, { types: ['order/placed'] })).toEqual(ids((n) => n % 3 === 2));
    expect(await idsOf(store, { types: ['order.placed', 'task_deleted'] })).toEqual(ids((n) => n % 3 !== 0));
    expect(await idsOf(store, { topic: 'order/7', types: ['task_created'] })).toEqual([]);
    const [fromMs, toMs] = [START_MS + 10 * STEP_MS, START_MS + 20 * STEP_MS];
    expect(await idsOf(store, { fromMs, toMs })).toEqual(ids((n) => n >= 10 && n < 20));
    expect(await idsOf(store, { fromMs, topic: 'order/7' })).toEqual(ids((n) => n >= 10 && n % 3 === 2));
    expect(await idsOf(store, { toMs: START_MS })).toEqual([]);
    expect(await idsOf(store, { fromMs: START_MS + 30 * STEP_MS })).toEqual([]);
    const { position } = (await readAll(store))[14]!;
    expect(await idsOf(store, { after: position, types: ['task_created'] })).toEqual(ids((n) => n > 14 && n % 3 === 0));
    expect(await idsOf(store, { after: 1_000_000 })).toEqual([]);
    await expect(store.read({ topic: 'a*b', limit: 1 })).rejects.toMatchObject({ code: 'invalid_pattern' });
  });

  it('tells its last position, where it tells that', async () => {
    const { store } = await start();
    const { head } = await store.read({ limit: 1 });
    if (head === undefined) return;
    expect(head).toBe(0);
    await store.append(sampleEvents(20));
    const last = (await readAll(store)).at(-1)!;
    expect((await store.read({ limit: 1, types: ['none'] })).head).toBe(last.position);
    expect((await store.read({ limit: 5, after: 3 })).head).toBe(last.position);
  });

  it('keeps its times in order when the clock is set back', async () => {
    const { store, clock, reopen } = await start();
    await store.append(sampleEvents(1));
    clock.nowMs -= 60_000;
    const again = await reopen();
    await again.append(sampleEvents(1, 1));
    const { records } = await again.read({ limit: 10 });
    expect(records.map(({ recordedAtMs }) => recordedAtMs)).toEqual([START_MS, START_MS]);
    expect(await idsOf(again, { fromMs: START_MS })).toHaveLength(2);
  });
}

function keepsSnapshots(start: Start): void {
  const snapshot: KeptSnapshot = { state: { n: 1 }, version: 2, position: 7, recordedAtMs: START_MS };

  it('keeps the latest snapshot of each name, and forgets one', async () => {
    const { store, reopen } = await start();
    expect(await store.loadSnapshot('a')).toBeUndefined();
    await store.saveSnapshot('a', { ...snapshot, position: 3 });
    await store.saveSnapshot('a', snapshot);
    await store.saveSnapshot('überall/日本', { ...snapshot, state: ['x'] });
    const again = await reopen();
    expect(await again.loadSnapshot('a')).toEqual(snapshot);
    expect(await again.loadSnapshot('überall/日本')).toEqual({ ...snapshot, state: ['x'] });
    await again.saveSnapshot('a', undefined);
    expect(await again.loadSnapshot('a')).toBeUndefined();
    expect(await again.loadSnapshot('überall/日本')).toBeDefined();
  });

  it('folds to the same state from any snapshot as from the first event', async () => {
    const step = fc.record({ events: fc.integer({ min: 0, max: 9 }), loads: fc.boolean(), forgets: fc.boolean() });
    const run = fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.integer({ min: 1, max: 12 }),
      async (steps, snapshotEvery) => {
        const { store } = await start();
        const counted = (name: string) => ({
          name,
          topic: 'count/#',
          initial: { sum: 0, order: [] as number[] },
          apply: (state: { sum: number; order: number[] }, { data }: { data: { n: number } }) => ({
            sum: state.sum + data.n,
            order: [...state.order.slice(-5), data.n],
          }),
        });
        const snapshots = new SnapshotService(store, { snapshotEvery });
        let appended = 0;
        for (const { events, loads, forgets } of steps) {
          const more = sampleEvents(events, appended).map((event, at) =>
            at % 3 === 2 ? event : { ...event, topic: 'count/x' },
          );
          appended += events;
          if (events > 0) await store.append(more);
          if (forgets) await snapshots.remove('kept');
          if (loads) await snapshots.load(counted('kept'));
        }
        const kept = await snapshots.load(counted('kept'));
        const whole = await snapshots.rebuild(counted('whole'));
        expect(kept.state).toEqual(whole.state);
        expect(kept.position).toBe(whole.position);
        expect(whole.snapshotPosition).toBe(0);
        expect(whole.folded).toBeGreaterThanOrEqual(kept.folded);
      },
    );
    await fc.assert(run, { numRuns: 25 });
  });
}
