import type { EventQuery, EventStore, FindOptions, Place, Recorded } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { allStored, sampleEvent, sampleEvents, sampleId } from './sample-event.ts';
import type { ConformanceHarness, StartSubject, Subject } from './subject.ts';

const PAGE: FindOptions = { limit: 100, direction: 'forward', budgetMs: 10_000 };

/** Follows the cursors to the end. */
async function findAll(store: EventStore, query: EventQuery, options: Partial<FindOptions> = {}): Promise<Recorded[]> {
  const records: Recorded[] = [];
  let after: Place | undefined = options.after;
  for (let page = 0; page < 1000; page++) {
    const found = await store.find(query, { ...PAGE, ...options, ...(after === undefined ? {} : { after }) });
    records.push(...found.records);
    if (found.next === undefined) return records;
    after = found.next;
  }
  throw new RangeError('The cursors of find do not come to an end.');
}

async function idsOf(subject: Subject, query: EventQuery): Promise<string[]> {
  const forward = await findAll(subject.store, query);
  const backward = await findAll(subject.store, query, { direction: 'backward' });
  const ids = forward.map(({ id }) => id);
  expect(backward.map(({ id }) => id).toReversed()).toEqual(ids);
  return ids;
}

const FIELDS = [
  { topic: 'orders/created', lane: 0, type: 'orders.created', source: 'shop', userId: 'u1', projectId: 'p1' },
  { topic: 'orders/paid', lane: 1, type: 'orders.paid', source: 'shop', userId: 'u2', correlationId: 'flow-1' },
  {
    topic: 'orders/eu/created',
    lane: 2,
    type: 'orders.eu.created',
    source: 'shop-eu',
    projectId: 'p1',
    causationId: 'c1',
  },
  { topic: 'users/created', lane: 3, type: 'users.created', source: 'crm', userId: 'u1', correlationId: 'flow-1' },
  {
    topic: 'users',
    lane: 2,
    type: 'users',
    source: 'crm',
    projectId: 'p2',
    correlationId: 'flow-2',
    causationId: 'c2',
  },
] as const;

const QUERIES: readonly [string, EventQuery, readonly number[]][] = [
  ['nothing in particular', {}, [0, 1, 2, 3, 4]],
  ['a topic', { topic: 'orders/paid' }, [1]],
  ['a topic spelled with dots', { topic: 'orders.paid' }, [1]],
  ['a topic pattern of one level', { topic: 'orders/+' }, [0, 1]],
  ['a topic pattern of many levels', { topic: 'orders/*' }, [0, 1, 2]],
  ['a topic pattern that ends alike', { topic: '*.created' }, [0, 2, 3]],
  ['a type', { types: ['users'] }, [4]],
  ['one of several type patterns', { types: ['orders.paid', 'users.*'] }, [1, 3]],
  ['one of several sources', { sources: ['shop-eu', 'crm'] }, [2, 3, 4]],
  ['one of several priorities', { priorities: [0, 3] }, [0, 3]],
  ['a user', { userId: 'u1' }, [0, 3]],
  ['a project', { projectId: 'p1' }, [0, 2]],
  ['a correlation id', { correlationId: 'flow-1' }, [1, 3]],
  ['its cause', { causationIds: ['c1'] }, [2]],
  ['one of several causes', { causationIds: ['c1', 'c2', 'c3'] }, [2, 4]],
  ['a cause that nothing followed from', { causationIds: ['C1'] }, []],
  ['a cause beside another field', { causationIds: ['c1', 'c2'], sources: ['crm'] }, [4]],
  ['several fields at once', { userId: 'u1', types: ['*.created'], sources: ['crm'] }, [3]],
  ['what is not there', { correlationId: 'flow-9' }, []],
];

/** Searching the log. */
export function findConformance(harness: ConformanceHarness, start: StartSubject): void {
  it.runIf(harness.supports.query === 'none')('refuses find with not_supported', async () => {
    const { store } = await start();
    await expect(store.find({}, PAGE)).rejects.toMatchObject({ code: 'not_supported' });
  });

  describe.skipIf(harness.supports.query === 'none')('find', () => {
    it.each(QUERIES)('finds by %s, in both directions', async (_name, query, expected) => {
      const subject = await start();
      const events = FIELDS.map((fields, n) => sampleEvent(n, fields));
      await subject.store.append(events);
      await subject.throughReopen();
      const found = (await idsOf(subject, query)).toSorted();
      expect(found).toEqual(expected.map(sampleId).toSorted());
    });

    it('finds by the time of recording: from is inside, to is outside', async () => {
      const subject = await start();
      const timesMs: number[] = [];
      for (let n = 0; n < 4; n++) {
        timesMs.push(allStored(await subject.store.append([sampleEvent(n)]))[0]!.recordedAtMs);
        subject.opened.jumpWall(60_000);
      }
      await subject.throughReopen();
      const [, second, , fourth] = timesMs as [number, number, number, number];
      expect(await idsOf(subject, { fromMs: second, toMs: fourth })).toEqual([sampleId(1), sampleId(2)]);
      expect(await idsOf(subject, { fromMs: fourth + 1 })).toEqual([]);
      expect(await idsOf(subject, { toMs: second })).toEqual([sampleId(0)]);
    });

    it('pages without gap or repetition, whatever the size of a page and wherever new events land', async () => {
      const subject = await start();
      const events = Array.from({ length: 40 }, (_, n) => sampleEvent(n, { source: n % 3 === 0 ? 'a' : 'b' }));
      await subject.store.append(events);
      await subject.throughReopen();
      const expected = events.filter(({ source }) => source === 'a').map(({ id }) => id);
      for (const limit of [1, 5, 14, 100]) {
        const found = await findAll(subject.store, { sources: ['a'] }, { limit });
        expect(found.map(({ id }) => id)).toEqual(expected);
      }
      const newest = await subject.store.find({ sources: ['a'] }, { ...PAGE, limit: 4, direction: 'backward' });
      expect(newest.complete).toBe(true);
      await subject.store.append(sampleEvents(6, 40, { source: 'a' }));
      const rest = await findAll(subject.store, { sources: ['a'] }, { direction: 'backward', after: newest.next! });
      expect([...newest.records, ...rest].map(({ id }) => id)).toEqual(expected.toReversed());
    });

    it('makes progress even when its budget is spent at once', async () => {
      const subject = await start();
      await subject.store.append(sampleEvents(600));
      await subject.throughReopen();
      expect(await findAll(subject.store, { sources: ['conformance'] }, { budgetMs: 0 })).toHaveLength(600);
      expect(await findAll(subject.store, { sources: ['nobody'] }, { budgetMs: 0 })).toHaveLength(0);
    });
  });
}
