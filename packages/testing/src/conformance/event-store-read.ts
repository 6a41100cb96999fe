import { describe, expect, it } from 'vitest';
import { readLog } from './read-log.ts';
import { allStored, sampleEvent, sampleEvents, sampleId } from './sample-event.ts';
import type { StartSubject, Subject } from './subject.ts';

const MANY = { limit: 1000, bytesMax: 16 * 1024 * 1024 };

/** Ten events of the lanes 0, 1, 2, 3, 0, 1, …; gives the partition and their positions. */
async function appendTen(subject: Subject): Promise<{ partition: number; positions: number[] }> {
  const events = sampleEvents(10).map((_, n) => sampleEvent(n, { lane: (n % 4) as 0 | 1 | 2 | 3 }));
  const results = allStored(await subject.store.append(events));
  await subject.throughReopen();
  return {
    partition: results[0]!.place.partition,
    positions: results.map(({ place }) => place.position),
  };
}

const ids = (records: readonly { readonly id: string }[]) => records.map(({ id }) => id);
const sampleIds = (...ns: number[]) => ns.map(sampleId);

/** How the log is read: `read`, `get` and `bounds`. */
export function readConformance(start: StartSubject): void {
  describe('read', () => {
    pagesOfRead(start);
    choicesOfRead(start);
  });
  describe('get', () => answersOfGet(start));
  describe('bounds', () => answersOfBounds(start));
}

function pagesOfRead(start: StartSubject): void {
  it('gives what is behind a position, in order, and stays at the head', async () => {
    const subject = await start();
    const { partition, positions } = await appendTen(subject);
    const page = await subject.store.read(partition, positions[6]!, MANY);
    expect(ids(page.records)).toEqual(sampleIds(7, 8, 9));
    expect(page.records.map(({ place }) => place.position)).toEqual(positions.slice(7));
    expect([page.scannedTo, page.lost]).toEqual([positions[9], undefined]);
    expect(await subject.store.read(partition, positions[9]!, MANY)).toEqual({
      records: [],
      scannedTo: positions[9],
    });
  });

  it('stops at the limit and can be continued from there', async () => {
    const subject = await start();
    const { partition, positions } = await appendTen(subject);
    const page = await subject.store.read(partition, 0, { ...MANY, limit: 4 });
    expect(ids(page.records)).toEqual(sampleIds(0, 1, 2, 3));
    expect(page.scannedTo).toBeGreaterThanOrEqual(positions[3]!);
    expect(page.scannedTo).toBeLessThan(positions[4]!);
    const { records } = await readLog(subject.store, partition, { limit: 3 });
    expect(ids(records)).toEqual(sampleIds(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  });

  it('stops at the bytes, yet gives at least one record', async () => {
    const subject = await start();
    const { partition } = await appendTen(subject);
    const bodyBytes = sampleEvent(0).body.length;
    const one = await subject.store.read(partition, 0, { ...MANY, bytesMax: 1 });
    expect(ids(one.records)).toEqual(sampleIds(0));
    const some = await subject.store.read(partition, 0, { ...MANY, bytesMax: 3 * bodyBytes });
    expect(some.records.length).toBeGreaterThanOrEqual(2);
    expect(some.records.length).toBeLessThanOrEqual(4);
    const { records } = await readLog(subject.store, partition, { bytesMax: 1 });
    expect(records).toHaveLength(10);
  });
}

function choicesOfRead(start: StartSubject): void {
  it('gives only the lanes asked for and looks past the others', async () => {
    const subject = await start();
    const { partition, positions } = await appendTen(subject);
    expect(ids((await readLog(subject.store, partition, { lanes: [1] })).records)).toEqual(sampleIds(1, 5, 9));
    const two = await readLog(subject.store, partition, { lanes: [0, 3], limit: 2 });
    expect(ids(two.records)).toEqual(sampleIds(0, 3, 4, 7, 8));
    expect(two.scannedTo).toBe(positions[9]);
    const none = await readLog(subject.store, partition, { lanes: [] });
    expect([none.records, none.scannedTo]).toEqual([[], positions[9]]);
  });

  it('reads up to a position and no further', async () => {
    const subject = await start();
    const { partition, positions } = await appendTen(subject);
    const page = await subject.store.read(partition, positions[1]!, { ...MANY, until: positions[4]! });
    expect(ids(page.records)).toEqual(sampleIds(2, 3, 4));
    expect(page.scannedTo).toBe(positions[4]);
    const nothing = await subject.store.read(partition, positions[4]!, { ...MANY, until: positions[4]! });
    expect(nothing.records).toEqual([]);
  });

  it('shows an event as soon as its append resolved', async () => {
    const { store } = await start();
    for (let n = 0; n < 20; n++) {
      const { place, previous } = allStored(await store.append([sampleEvent(n)]))[0]!;
      expect(ids((await store.read(place.partition, previous, MANY)).records)).toEqual([sampleId(n)]);
    }
  });
}

function answersOfGet(start: StartSubject): void {
  it('answers ids and places in the order of asking, and unknown ones with undefined', async () => {
    const subject = await start();
    const { partition, positions } = await appendTen(subject);
    const found = await subject.store.get([
      sampleId(3),
      { partition, position: positions[0]! },
      sampleId(777),
      { partition, position: positions[9]! + 1 },
      { partition, position: positions[9]! },
      sampleId(3),
    ]);
    expect(found.map((record) => record?.id)).toEqual([
      sampleId(3),
      sampleId(0),
      undefined,
      undefined,
      sampleId(9),
      sampleId(3),
    ]);
    expect(found[0]!.place.position).toBe(positions[3]);
    expect(await subject.store.get([])).toEqual([]);
  });
}

function answersOfBounds(start: StartSubject): void {
  it('is empty at first and then names first and last', async () => {
    const subject = await start();
    for (const { first, head } of await subject.store.bounds()) expect([first, head]).toEqual([1, 0]);
    const { partition, positions } = await appendTen(subject);
    const bounds = (await subject.store.bounds()).find((entry) => entry.partition === partition)!;
    expect(bounds.head).toBe(positions[9]);
    expect(bounds.first).toBeLessThanOrEqual(positions[0]!);
  });
}
