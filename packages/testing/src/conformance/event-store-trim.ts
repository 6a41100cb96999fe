import { describe, expect, it } from 'vitest';
import { readLog } from './read-log.ts';
import { allStored, sampleEvents, sampleId } from './sample-event.ts';
import type { ConformanceHarness, StartSubject } from './subject.ts';

const MANY = { limit: 1000, bytesMax: 16 * 1024 * 1024 };

/** Removing what retention does not want any more, and how the gap is told. */
export function trimConformance(harness: ConformanceHarness, start: StartSubject): void {
  it.skipIf(harness.supports.trim)('refuses trim with not_supported', async () => {
    const { store } = await start();
    const [result] = allStored(await store.append(sampleEvents(1)));
    await expect(store.trim([result!.place])).rejects.toMatchObject({ code: 'not_supported' });
  });

  describe.runIf(harness.supports.trim)('trim', () => {
    whatTrimLeaves(start);
    it.skipIf(harness.supports.query === 'none')('hides what it removed from find', () => trimmedIsNotFound(start));
  });
}

function whatTrimLeaves(start: StartSubject): void {
  it('removes what is at or below the place, and no more', async () => {
    const subject = await start();
    const places = allStored(await subject.store.append(sampleEvents(10))).map(({ place }) => place);
    await subject.throughReopen();
    const removed = await subject.store.trim([places[3]!]);
    expect(removed).toEqual([{ from: places[0]!.position, through: places[3]!.position, cause: 'trimmed' }]);
    await subject.throughReopen();

    const partition = places[0]!.partition;
    const { records } = await readLog(subject.store, partition);
    expect(records.map(({ id }) => id)).toEqual([4, 5, 6, 7, 8, 9].map(sampleId));
    expect(await subject.store.get([sampleId(3), places[3]!])).toEqual([undefined, undefined]);
    expect((await subject.store.get([places[4]!]))[0]!.id).toBe(sampleId(4));
    const bounds = (await subject.store.bounds()).find((entry) => entry.partition === partition)!;
    expect([bounds.first, bounds.head]).toEqual([places[4]!.position, places[9]!.position]);
  });

  it('tells a reader which positions are lost, once', async () => {
    const subject = await start();
    const places = allStored(await subject.store.append(sampleEvents(10))).map(({ place }) => place);
    await subject.store.trim([places[5]!]);
    await subject.throughReopen();
    const partition = places[0]!.partition;
    const page = await subject.store.read(partition, places[1]!.position, MANY);
    expect(page.lost?.cause).toBe('trimmed');
    expect(page.lost!.from).toBeGreaterThan(places[1]!.position);
    expect(page.lost!.from).toBeLessThanOrEqual(places[2]!.position);
    expect(page.lost!.through).toBe(places[5]!.position);
    expect(page.records.map(({ id }) => id)).toEqual([6, 7, 8, 9].map(sampleId));
    expect((await subject.store.read(partition, places[5]!.position, MANY)).lost).toBeUndefined();
    expect((await readLog(subject.store, partition, { limit: 1 })).lost).toHaveLength(1);
  });

  it('removes everything, and the log goes on from its head', async () => {
    const subject = await start();
    const places = allStored(await subject.store.append(sampleEvents(5))).map(({ place }) => place);
    const { partition, position: head } = places[4]!;
    await subject.store.trim([{ partition, position: head + 1000 }]);
    await subject.throughReopen();
    const bounds = (await subject.store.bounds()).find((entry) => entry.partition === partition)!;
    expect([bounds.first, bounds.head]).toEqual([head + 1, head]);
    const [next] = allStored(await subject.store.append(sampleEvents(1, 5)));
    expect([next!.previous, next!.place.position > head]).toEqual([head, true]);
    const page = await subject.store.read(partition, head, MANY);
    expect([page.records.map(({ id }) => id), page.lost]).toEqual([[sampleId(5)], undefined]);
  });

  it('does nothing where nothing is due', async () => {
    const subject = await start();
    const places = allStored(await subject.store.append(sampleEvents(3))).map(({ place }) => place);
    const { partition } = places[0]!;
    expect(await subject.store.trim([{ partition, position: 0 }])).toEqual([]);
    expect(await subject.store.trim([])).toEqual([]);
    await subject.store.trim([places[1]!]);
    expect(await subject.store.trim([places[0]!])).toEqual([]);
    expect((await readLog(subject.store, partition)).records).toHaveLength(1);
  });
}

async function trimmedIsNotFound(start: StartSubject): Promise<void> {
  const subject = await start();
  const places = allStored(await subject.store.append(sampleEvents(6))).map(({ place }) => place);
  await subject.store.trim([places[2]!]);
  await subject.throughReopen();
  for (const direction of ['forward', 'backward'] as const) {
    const { records } = await subject.store.find({}, { limit: 10, direction, budgetMs: 10_000 });
    expect(records.map(({ id }) => id).toSorted()).toEqual([3, 4, 5].map(sampleId).toSorted());
    const behind = await subject.store.find({}, { limit: 10, direction, budgetMs: 10_000, after: places[0]! });
    expect(behind.records).toHaveLength(direction === 'forward' ? 3 : 0);
  }
}
