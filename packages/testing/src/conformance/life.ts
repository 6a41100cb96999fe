import { describe, expect, it } from 'vitest';
import { readLog } from './read-log.ts';
import { allStored, sampleEvent, sampleEvents, sampleId } from './sample-event.ts';
import type { ConformanceHarness, StartSubject } from './subject.ts';

/** The adapter around the stores: what it says about itself, opening, closing, sharing. */
export function lifeConformance(harness: ConformanceHarness, start: StartSubject): void {
  describe('the adapter', () => {
    factsAndEnd(harness, start);
  });
  describe.runIf(harness.supports.shared)('shared by two processes', () => sharedByTwo(start));
}

function factsAndEnd({ supports }: ConformanceHarness, start: StartSubject): void {
  it('shows frozen facts about itself and is healthy', async () => {
    const { adapter } = await start();
    expect(adapter.supports).toEqual(supports);
    expect(Object.isFrozen(adapter.supports)).toBe(true);
    expect(adapter.name).toMatch(/^[a-z][a-z+-]*$/);
    expect(adapter.health().status).toBe('ok');
  });

  it('gives a way to stop watching that may be used twice', async () => {
    const { adapter } = await start();
    const unwatch = adapter.watch(() => {});
    unwatch();
    unwatch();
  });

  it('refuses with `closed` once it is closed, and what was acknowledged before is there after', async () => {
    const subject = await start();
    const { adapter, store, state } = subject;
    const [result] = allStored(await store.append([sampleEvent(1)]));
    await adapter.close();
    const closed = { code: 'closed' };
    await expect(store.append([sampleEvent(2)])).rejects.toMatchObject(closed);
    await expect(store.read(result!.place.partition, 0, { limit: 1, bytesMax: 1 })).rejects.toMatchObject(closed);
    await expect(store.get([sampleId(1)])).rejects.toMatchObject(closed);
    await expect(store.bounds()).rejects.toMatchObject(closed);
    await expect(state.commit([{ kind: 'topic', key: 'a', value: 1 }])).rejects.toMatchObject(closed);
    await expect(state.get('topic', ['a'])).rejects.toMatchObject(closed);
    await expect(state.load('topic', { limit: 1 })).rejects.toMatchObject(closed);
    await expect(state.acquire(['r'], { owner: 'a', ttlMs: 1000 })).rejects.toMatchObject(closed);
    await subject.reopen();
    expect((await subject.store.get([sampleId(1)]))[0]!.id).toBe(sampleId(1));
    expect(await subject.state.get('topic', ['a'])).toEqual([undefined]);
  });

  it('finishes what is under way when it is closed', async () => {
    const subject = await start();
    const appends = Array.from({ length: 20 }, (_, i) => subject.store.append(sampleEvents(5, 5 * i)));
    const commit = subject.state.commit([{ kind: 'topic', key: 'a', value: 'late' }]);
    await subject.adapter.close();
    const [place] = (await Promise.all(appends)).flat().map((result) => result.place);
    await commit;
    await subject.reopen();
    expect((await readLog(subject.store, place!.partition)).records).toHaveLength(100);
    expect((await subject.state.get('topic', ['a']))[0]!.value).toBe('late');
  });

  it.skipIf(supports.shared)('refuses to be opened a second time while it is open', async () => {
    const { opened } = await start();
    // Nobody can reach the data of a memory a second time.
    if (opened.openSecond === undefined) return;
    await expect(opened.openSecond()).rejects.toMatchObject({ code: 'store_locked' });
  });
}

function sharedByTwo(start: StartSubject): void {
  it('has one log: each sees what the other appended, and ids are unique among both', async () => {
    const { store, opened } = await start();
    const second = await opened.openSecond!();
    const own = allStored(await store.append([sampleEvent(1)]));
    const other = allStored(await second.store.append([sampleEvent(2)]));
    expect(other[0]!.previous).toBe(own[0]!.place.position);
    expect((await second.store.append([sampleEvent(1)]))[0]!.status).toBe('duplicate');
    for (const { partition } of [own[0]!.place]) {
      expect((await readLog(store, partition)).records).toEqual((await readLog(second.store, partition)).records);
    }
  });

  it('stores an id once when both append it at once', async () => {
    const { store, opened } = await start();
    const second = await opened.openSecond!();
    const results = await Promise.all(
      [store, second.store].flatMap((each) => Array.from({ length: 10 }, (_, n) => each.append([sampleEvent(n)]))),
    );
    const statuses = results.flat().map(({ status }) => status);
    expect(statuses.filter((status) => status === 'stored')).toHaveLength(10);
    expect(statuses.filter((status) => status === 'duplicate')).toHaveLength(10);
  });

  it('has one state: revisions and leases hold among both', async () => {
    const { state, opened } = await start();
    const second = (await opened.openSecond!()).state;
    const revision = await state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    await expect(
      second.commit([{ kind: 'topic', key: 'a', value: 2, ifRevision: revision + 1 }]),
    ).rejects.toMatchObject({ code: 'revision_conflict' });
    await second.commit([{ kind: 'topic', key: 'a', value: 2, ifRevision: revision }]);
    expect((await state.get('topic', ['a']))[0]!.value).toBe(2);

    const [lease] = await state.acquire(['r'], { owner: 'first', ttlMs: 1000 });
    expect(await second.acquire(['r'], { owner: 'second', ttlMs: 1000 })).toEqual([]);
    await opened.elapse(1500);
    const [taken] = await second.acquire(['r'], { owner: 'second', ttlMs: 60_000 });
    expect(taken!.token).toBeGreaterThan(lease!.token);
    await expect(state.commit([{ kind: 'topic', key: 'a', value: 3, lease: lease! }])).rejects.toMatchObject({
      code: 'lease_lost',
      details: { resources: ['r'] },
    });
    expect((await second.get('topic', ['a']))[0]!.value).toBe(2);
  });
}
