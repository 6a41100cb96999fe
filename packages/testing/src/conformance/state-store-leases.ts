import type { Lease, StateStore } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartSubject } from './subject.ts';

/** Short enough to be waited for in earnest by adapters whose clock nobody can turn. */
const SHORT_MS = 300;
const LONG_MS = 60_000;

async function acquired(state: StateStore, resource: string, owner: string, ttlMs: number): Promise<Lease> {
  const [lease] = await state.acquire([resource], { owner, ttlMs });
  if (lease === undefined) throw new TypeError(`${owner} expected to get ${resource}.`);
  return lease;
}

/** Leases: who may act, and that those who may not any more cannot write. */
export function leaseConformance(start: StartSubject): void {
  describe('leases', () => {
    holdingOfLeases(start);
    fencingByLeases(start);
    leasesBeforeRevisions(start);
    severalLeases(start);
  });
}

function holdingOfLeases(start: StartSubject): void {
  it('are held by one owner until they run out; the next holder has a higher token', async () => {
    const subject = await start();
    const lease = await acquired(subject.state, 'r', 'a', SHORT_MS);
    expect(lease.resource).toBe('r');
    expect(await subject.state.acquire(['r'], { owner: 'b', ttlMs: SHORT_MS })).toEqual([]);
    expect(await subject.state.acquire(['other'], { owner: 'b', ttlMs: SHORT_MS })).toHaveLength(1);
    await subject.opened.elapse(SHORT_MS + 50);
    await subject.throughReopen();
    expect((await acquired(subject.state, 'r', 'b', SHORT_MS)).token).toBeGreaterThan(lease.token);
  });

  it('given again to the same owner are new: its former self is fenced off', async () => {
    const { state } = await start();
    const former = await acquired(state, 'r', 'a', LONG_MS);
    const present = await acquired(state, 'r', 'a', LONG_MS);
    expect(present.token).toBeGreaterThan(former.token);
    expect(await state.renew([former, present], { ttlMs: LONG_MS })).toEqual([former]);
  });

  it('last longer when renewed, and those that ran out are named and stay lost', async () => {
    const { state, opened } = await start();
    const kept = await acquired(state, 'kept', 'a', SHORT_MS);
    const lost = await acquired(state, 'lost', 'a', SHORT_MS);
    expect(await state.renew([kept], { ttlMs: LONG_MS })).toEqual([]);
    await opened.elapse(SHORT_MS + 50);
    expect(await state.renew([kept, lost], { ttlMs: LONG_MS })).toEqual([lost]);
    expect(await state.acquire(['kept'], { owner: 'b', ttlMs: SHORT_MS })).toEqual([]);
    await acquired(state, 'lost', 'b', LONG_MS);
    expect(await state.renew([lost], { ttlMs: LONG_MS })).toEqual([lost]);
  });

  it('are free at once when given back; giving back what is not held does nothing', async () => {
    const { state } = await start();
    const first = await acquired(state, 'r', 'a', LONG_MS);
    await state.release([first]);
    const second = await acquired(state, 'r', 'b', LONG_MS);
    expect(second.token).toBeGreaterThan(first.token);
    await state.release([first, { resource: 'never', token: 1 }]);
    expect(await state.renew([second], { ttlMs: LONG_MS })).toEqual([]);
    expect(await state.acquire(['r'], { owner: 'c', ttlMs: LONG_MS })).toEqual([]);
  });
}

function fencingByLeases(start: StartSubject): void {
  it('do not follow the wall clock', async () => {
    const { state, opened } = await start();
    const lease = await acquired(state, 'r', 'a', LONG_MS);
    opened.jumpWall(24 * 60 * 60 * 1000);
    expect(await state.renew([lease], { ttlMs: LONG_MS })).toEqual([]);
    opened.jumpWall(-48 * 60 * 60 * 1000);
    expect(await state.acquire(['r'], { owner: 'b', ttlMs: LONG_MS })).toEqual([]);
  });

  it('guard a commit: held it passes, lost it changes nothing and names all that are lost', async () => {
    const subject = await start();
    const { state, opened } = subject;
    const held = await acquired(state, 'held', 'a', LONG_MS);
    const expired = await acquired(state, 'expired', 'a', SHORT_MS);
    const released = await acquired(state, 'released', 'a', LONG_MS);
    await state.commit([
      { kind: 'progress', key: 'p', value: 1, lease: held },
      { kind: 'progress', key: 'q', value: 1, lease: expired },
    ]);
    await opened.elapse(SHORT_MS + 50);
    await state.release([released]);
    const refused = state.commit([
      { kind: 'progress', key: 'p', value: 2, lease: held },
      { kind: 'progress', key: 'q', value: 2, lease: expired },
      { kind: 'progress', key: 'q', value: 3, lease: released },
      { kind: 'progress', key: 'q', value: 4, lease: expired },
    ]);
    const error = (await refused.catch((caught: unknown) => caught)) as {
      code: string;
      details: { resources: string[] };
    };
    expect(error.code).toBe('lease_lost');
    expect(error.details.resources.toSorted()).toEqual(['expired', 'released']);
    await subject.throughReopen();
    const entries = await subject.state.get('progress', ['p', 'q']);
    expect(entries.map((entry) => entry?.value)).toEqual([1, 1]);
  });
}

function leasesBeforeRevisions(start: StartSubject): void {
  /** All that are lost are named at once; of conflicts one is, so a process that lost a thousand would ask a thousand times. */
  it('that are lost are told before a revision that is not the expected one', async () => {
    const { state } = await start();
    const held = await acquired(state, 'held', 'a', LONG_MS);
    const released = await acquired(state, 'released', 'a', LONG_MS);
    await state.release([released]);
    const refused = state.commit([
      { kind: 'progress', key: 'p', value: 1, lease: held, ifRevision: 4711 },
      { kind: 'progress', key: 'q', value: 1, lease: released, ifRevision: 4711 },
    ]);
    await expect(refused).rejects.toMatchObject({ code: 'lease_lost', details: { resources: ['released'] } });
    const conflict = state.commit([{ kind: 'progress', key: 'p', value: 1, lease: held, ifRevision: 4711 }]);
    await expect(conflict).rejects.toMatchObject({ code: 'revision_conflict', details: { key: 'p' } });
  });
}

function severalLeases(start: StartSubject): void {
  it('go to one of many who ask at once', async () => {
    const { state } = await start();
    const asked = Array.from({ length: 20 }, (_, n) => state.acquire(['r'], { owner: `o${n}`, ttlMs: LONG_MS }));
    expect((await Promise.all(asked)).flat()).toHaveLength(1);
  });

  it('are given many at a time, those that are free and in the order of asking, and split among those who ask at once', async () => {
    const { state } = await start();
    await acquired(state, 'c', 'b', LONG_MS);
    const leases = await state.acquire(['d', 'c', 'a'], { owner: 'a', ttlMs: LONG_MS });
    expect(leases.map(({ resource }) => resource)).toEqual(['d', 'a']);
    expect(new Set(leases.map(({ token }) => token)).size).toBe(2);
    expect(await state.renew(leases, { ttlMs: LONG_MS })).toEqual([]);
    expect(await state.acquire([], { owner: 'a', ttlMs: LONG_MS })).toEqual([]);
    const many = Array.from({ length: 200 }, (_, n) => `m${n}`);
    const orders = [many, many.toReversed(), many.toSorted()];
    const asked = orders.map((order, n) => state.acquire(order, { owner: `o${n}`, ttlMs: LONG_MS }));
    const got = (await Promise.all(asked)).flat().map(({ resource }) => resource);
    expect(got.toSorted()).toEqual(many.toSorted());
  });

  it('say who holds them', async () => {
    const { state, opened } = await start();
    await acquired(state, 'kept', 'a', LONG_MS);
    await acquired(state, 'expired', 'b', SHORT_MS);
    await state.release([await acquired(state, 'released', 'c', LONG_MS)]);
    await opened.elapse(SHORT_MS + 50);
    expect(await state.holders(['never', 'kept', 'expired', 'released'])).toEqual([
      undefined,
      'a',
      undefined,
      undefined,
    ]);
    expect(await state.holders([])).toEqual([]);
  });
}
