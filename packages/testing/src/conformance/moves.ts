import {
  type MemoryAdapter,
  type MovableAdapter,
  memory,
  moveStore,
  type Restored,
  STATE_KINDS,
  type StateChange,
} from '@event-manager/core';
import { afterEach, describe, expect, it } from 'vitest';
import { readLog } from './read-log.ts';
import { allStored, sampleEvent, sampleEvents, sampleId } from './sample-event.ts';

/** Somewhere that stores are kept, empty at first. */
export interface MovesPlace {
  /** A new adapter for what is there, not open. */
  adapter(): MovableAdapter;
  /** Removes everything. The adapters are closed. */
  dispose(): Promise<void>;
}

export interface MovesHarness {
  readonly name: string;
  place(): Promise<MovesPlace>;
}

const DAY_MS = 86_400_000;
const STARTED_MS = 1_767_225_600_000;
/** Retention took everything before; damage took some in the middle and the last ones. */
const EXTENT = { first: 5, head: 60 };
const KEPT = [7, 8, 9, 14, 15, 16, 17, 18, 30, 31, 50];

/** What a store promises that others move to and from, as tests. Call it in a test file of the adapter. */
export function movesConformance(harness: MovesHarness): void {
  describe(`moves of ${harness.name}`, () => {
    const places: MovesPlace[] = [];
    const newPlace = async () => {
      const place = await harness.place();
      places.push(place);
      return place;
    };
    afterEach(async () => {
      for (const close of open) await close();
      for (const place of places.splice(0)) await place.dispose();
    });
    whatIsCopied(newPlace);
    whatWasNeverThere(newPlace);
    whatGoesOn(newPlace);
    whatIsRefused(newPlace);
  });
}

function whatIsCopied(newPlace: () => Promise<MovesPlace>): void {
  it('takes over positions, times, holes, the beginning and every kind of record, and gives them on again', async () => {
    const origin = await filledMemory();
    const place = await newPlace();
    const there = await moveStore({ source: origin, target: place.adapter() });
    expect(there).toMatchObject({ ...EXTENT, events: KEPT.length, records: records().length });

    const adapter = place.adapter();
    await adapter.open();
    await origin.stay();
    await origin.open();
    expect(await everythingOf(adapter)).toEqual(await everythingOf(origin));
    const bounds = await adapter.store.bounds();
    expect(bounds).toEqual([expect.objectContaining({ ...EXTENT, events: KEPT.length })]);
    await origin.close();
    await adapter.close();

    const back = memory();
    const again = await moveStore({ source: place.adapter(), target: back });
    expect(again.checksum).toBe(there.checksum);
  });

  it('tells a reader of every hole, and finds events by id, place and field', async () => {
    const place = await newPlace();
    await moveStore({ source: await filledMemory(), target: place.adapter() });
    const { store, ...adapter } = await opened(place);
    const { lost, records: found } = await readLog(store, 0);
    expect(found.map(({ place: at }) => at.position)).toEqual(KEPT);
    const isLost = (position: number) => lost.some(({ from, through }) => from <= position && position <= through);
    const positions = Array.from({ length: EXTENT.head }, (_, at) => at + 1);
    expect(positions.filter(isLost)).toEqual(positions.filter((position) => !KEPT.includes(position)));
    expect(new Set(lost.filter(({ from }) => from >= EXTENT.first).map(({ cause }) => cause))).toEqual(
      new Set(['damaged']),
    );

    const ask = { limit: 100, direction: 'forward', budgetMs: 10_000 } as const;
    const byFlow = await store.find({ correlationId: 'flow' }, ask);
    expect(byFlow.records.map(({ place: at }) => at.position)).toEqual([14, 30]);
    const byCause = await store.find({ causationIds: ['c'] }, ask);
    expect(byCause.records.map(({ place: at }) => at.position)).toEqual([14, 30]);
    expect((await store.find({ fromMs: STARTED_MS + 29.5 * DAY_MS }, ask)).records).toHaveLength(3);
    const refs = [sampleId(14), { partition: 0, position: 10 }, { partition: 0, position: 50 }];
    const got = await store.get(refs);
    expect(got.map((record) => record?.place.position)).toEqual([14, undefined, 50]);
    await adapter.close();
  });
}

function whatWasNeverThere(newPlace: () => Promise<MovesPlace>): void {
  it('keeps apart what was lost and what no event was ever given, over moves', async () => {
    // Lost: 2, 7 and 8, 300. Never given: 4 to 5, 9 to 200 right behind what was lost, 301 to the head.
    const unused = [
      { from: 4, through: 5 },
      { from: 9, through: 200 },
      { from: 301, through: 400 },
    ];
    const lostThere = [2, 7, 8, 300];
    const origin = memory();
    const restoration = await origin.openToRestore({ first: 1, head: 400 });
    await restoration.write([restored(1), restored(3)]);
    await restoration.skip(unused[0]!);
    await restoration.write([restored(6)]);
    await restoration.skip(unused[1]!);
    await restoration.write([restored(201)]);
    await restoration.write(Array.from({ length: 98 }, (_, at) => small(202 + at)));
    await restoration.skip(unused[2]!);
    await restoration.complete();
    await origin.close();
    const place = await newPlace();
    const there = await moveStore({ source: origin, target: place.adapter() });
    const back = memory();
    const again = await moveStore({ source: place.adapter(), target: back });
    expect(again.checksum).toBe(there.checksum);
    await place.adapter().stay();
    const kept = await opened(place);
    await back.open();
    for (const { store } of [kept, back]) {
      const { lost, records: found } = await readLog(store, 0);
      const told = lost.flatMap(({ from, through }) =>
        Array.from({ length: through - from + 1 }, (_, at) => from + at),
      );
      expect(told).toEqual(lostThere);
      expect(found).toHaveLength(102);
      expect(await store.bounds()).toMatchObject([{ first: 1, head: 400, events: 102 }]);
      // A reader that stands inside of such positions goes on behind them.
      expect((await store.read(0, 100, { limit: 1, bytesMax: 1e6 })).records[0]!.place.position).toBe(201);
      expect(allStored(await store.append([sampleEvent(1_000)]))[0]!.previous).toBe(400);
    }
    const adapter = kept.health();
    const told = (adapter.lost ?? []).flatMap(({ from, through }) => [from, through]);
    expect([adapter.status, [...new Set(told)]]).toEqual(['ok', told.length === 0 ? [] : lostThere]);
    await kept.close();
    await back.close();
  });
}

function whatGoesOn(newPlace: () => Promise<MovesPlace>): void {
  it('goes on behind its head, knows the ids that came, and trims over holes', async () => {
    const place = await newPlace();
    await moveStore({ source: await filledMemory(), target: place.adapter() });
    const { store, state, ...adapter } = await opened(place);
    const [again, next] = await store.append([restored(14), sampleEvent(100)]);
    expect(again).toEqual({ status: 'duplicate', place: { partition: 0, position: 14 } });
    expect(next).toMatchObject({ status: 'stored', previous: EXTENT.head });
    expect((next as { recordedAtMs: number }).recordedAtMs).toBeGreaterThan(STARTED_MS + 50 * DAY_MS);
    await state.commit([{ kind: 'topic', key: 'new', value: 1, ifRevision: 0 }]);
    expect(await state.acquire(['lease'], { owner: 'somebody', ttlMs: 1_000 })).toHaveLength(1);

    await store.trim([{ partition: 0, position: 12 }]);
    expect((await readLog(store, 0)).records[0]!.place.position).toBe(14);
    await store.trim([{ partition: 0, position: 55 }]);
    const { records: left } = await readLog(store, 0);
    expect(left.map(({ id }) => id)).toEqual([sampleId(100)]);
    await adapter.close();
  });

  it('moves a store without events', async () => {
    const place = await newPlace();
    const report = await moveStore({ source: memory(), target: place.adapter() });
    expect(report).toMatchObject({ first: 1, head: 0, events: 0, records: 0 });
    const { store, ...adapter } = await opened(place);
    expect(allStored(await store.append([sampleEvent(1)]))[0]!.previous).toBe(0);
    await adapter.close();
  });
}

function whatIsRefused(newPlace: () => Promise<MovesPlace>): void {
  it('is filled only when nothing is kept there', async () => {
    const place = await newPlace();
    const { store, ...adapter } = await opened(place);
    await store.append(sampleEvents(3));
    await adapter.close();
    const origin = await filledMemory();
    const refused = moveStore({ source: origin, target: place.adapter() });
    await expect(refused).rejects.toMatchObject({ code: 'store_not_empty' });
    // Nothing happened on either side.
    await origin.open();
    const present = await opened(place);
    expect((await readLog(present.store, 0)).records).toHaveLength(3);
    await present.close();
  });

  it('refuses to open a copy that was not finished, and begins it anew', async () => {
    const place = await newPlace();
    const adapter = place.adapter();
    const restoration = await adapter.openToRestore({ first: 3, head: 90 });
    await restoration.write([restored(3), restored(20), restored(30)]);
    await adapter.state.commit([{ kind: 'topic', key: 'stale', value: 1 }]);
    await adapter.close();
    await expect(place.adapter().open()).rejects.toMatchObject({ code: 'store_incomplete' });
    await expect(place.adapter().openToLeave()).rejects.toMatchObject({ code: 'store_incomplete' });

    const origin = await filledMemory();
    await moveStore({ source: origin, target: place.adapter() });
    const whole = await opened(place);
    await origin.stay();
    await origin.open();
    expect(await everythingOf(whole)).toEqual(await everythingOf(origin));
    await whole.close();
  });

  it('stays in use when the move ends early, and is not used any more when it has ended', async () => {
    const place = await newPlace();
    const { store, ...adapter } = await opened(place);
    await store.append(sampleEvents(3));
    await adapter.close();
    const stopped = AbortSignal.abort();
    const ended = moveStore({ source: place.adapter(), target: memory(), signal: stopped });
    await expect(ended).rejects.toMatchObject({ code: 'aborted' });
    const present = await opened(place);
    expect(allStored(await present.store.append([sampleEvent(3)]))[0]!.previous).toBe(3);
    await present.close();

    await moveStore({ source: place.adapter(), target: memory() });
    await expect(place.adapter().open()).rejects.toMatchObject({ code: 'store_moved' });
    await expect(place.adapter().openToLeave()).rejects.toMatchObject({ code: 'store_moved' });
    await expect(place.adapter().openToRestore(EXTENT)).rejects.toMatchObject({ code: 'store_not_empty' });
    await place.adapter().stay();
    const again = await opened(place);
    expect((await readLog(again.store, 0)).records).toHaveLength(4);
    await again.close();
  });
}

/** Closed by the test, or behind it when it fails. */
async function opened(place: MovesPlace) {
  const adapter = place.adapter();
  await adapter.open();
  const close = async () => {
    if (open.delete(close)) await adapter.close();
  };
  open.add(close);
  return { store: adapter.store, state: adapter.state, health: () => adapter.health(), close };
}

const open = new Set<() => Promise<void>>();

async function filledMemory(): Promise<MemoryAdapter> {
  const adapter = memory();
  const restoration = await adapter.openToRestore(EXTENT);
  await restoration.write(KEPT.map(restored));
  await adapter.state.commit(records());
  await restoration.complete();
  await adapter.close();
  return adapter;
}

/** The event at a position, without anything unusual. */
function small(position: number): Restored {
  return { ...sampleEvent(position), position, recordedAtMs: STARTED_MS + position * DAY_MS };
}

/** The event at a position: a day of the log each, in every lane, with names and without. */
function restored(position: number): Restored {
  const event = sampleEvent(position, {
    lane: (position % 4) as 0 | 1 | 2 | 3,
    flags: position % 2 === 0 ? 129 : 0,
    topic: position === 15 ? 'a/ü/\u{1f600}' : `area/${position % 3}`,
    payload: { odd: ['\u0000', '\ud800', 1e300, -0.5, { '2': 1, '1': 2 }], text: 'x'.repeat(position * 100) },
    ...(position === 14 || position === 30
      ? { correlationId: 'flow', causationId: 'c', userId: 'u', projectId: 'p' }
      : {}),
  });
  return { ...event, position, recordedAtMs: STARTED_MS + position * DAY_MS };
}

function records(): StateChange[] {
  const odd = ['plain', 'a/b', 'ü', '\uffff', '\ud800', ''];
  const each = STATE_KINDS.flatMap((kind) =>
    odd.map((key, at) => ({ kind, key, value: { kind, at, text: '\u0000"' } })),
  );
  const many = Array.from({ length: 250 }, (_, at) => ({ kind: 'attempt' as const, key: `many/${at}`, value: [at] }));
  return [...each, ...many];
}

/** What a user of the adapter can see, without revisions and without how pages were cut. */
async function everythingOf({ store, state }: Pick<MovableAdapter, 'store' | 'state'>): Promise<unknown> {
  const { records: found } = await readLog(store, 0);
  const kept: unknown[] = [];
  for (const kind of STATE_KINDS) {
    const { entries } = await state.load(kind, { limit: 1_000 });
    kept.push(entries.map(({ key, value }) => [kind, key, value]));
  }
  return { events: found.map((event) => ({ ...event, body: Buffer.from(event.body).toString() })), kept };
}
