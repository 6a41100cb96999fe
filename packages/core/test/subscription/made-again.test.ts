import { ANONYMOUS, EventManagerError, type LeasedDelivery, type StateStore } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../open-engine.ts';
import { attachHandler, CALM, detach, numbers, SeveralEngines } from '../several-engines.ts';

function pull(bus: EngineUnderTest, id: string): Promise<readonly LeasedDelivery[]> {
  return bus.time.run(bus.engine.subscriptions.pulls.pull(ANONYMOUS, id, { max: 100, waitMs: 3_000 }));
}

function numbersOf(leases: readonly LeasedDelivery[]): string[] {
  return leases.map(({ record, attempt }) => {
    return `${JSON.parse(Buffer.from(record.body).toString()).payload.n}#${attempt}`;
  });
}

function unsubscribe(bus: EngineUnderTest, id: string): Promise<void> {
  return bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
}

/** Puts `interfere` between one process and what it commits of progress. */
function betweenProgress(state: StateStore, interfere: (commit: () => Promise<number>) => Promise<number>): void {
  const commit = state.commit.bind(state);
  Object.assign(state, {
    commit: (changes: Parameters<typeof commit>[0]) => {
      const isProgress = changes.some(({ kind }) => kind === 'progress');
      return isProgress ? interfere(() => commit(changes)) : commit(changes);
    },
  });
}

describe('a subscription that another process removes and makes again under its name', () => {
  /** What the former one was delivered until its owner looked again counted as settled for the new one, and was lost to it. */
  it('is owed everything from then on, whatever its former owner still commits', async () => {
    // No hint arrives: the owner learns of it when it looks by itself.
    const engines = await SeveralEngines.of(2, {}, 7, { ...CALM, hintLossShare: 1 });
    const [a, b] = engines.all as [EngineUnderTest, EngineUnderTest];
    for (let round = 0; round < 5; round++) {
      const former = await attachHandler(a, { name: `s${round}` });
      await engines.time.advance(1_100 + round * 170);
      await a.publishMany(3);
      await engines.time.advance(700);
      expect(former.seen).toEqual(numbers(1, 3));
      await unsubscribe(b, former.id);
      const again = await b.subscribe({ name: `s${round}` });
      expect(again.id).toBe(former.id);
      // Before and after the former owner commits what it takes for its own.
      await b.publishMany(2, 4);
      await engines.time.advance(150);
      await b.publishMany(2, 6);
      await engines.time.advance(5_000);
      expect(numbersOf(await pull(b, again.id))).toEqual(numbers(4, 7));
      await unsubscribe(b, again.id);
      await engines.time.advance(2_000);
    }
    await engines.close();
  });

  it('is served again by its former owner where that has the member', async () => {
    const engines = await SeveralEngines.of(2, {}, 7, { ...CALM, hintLossShare: 1 });
    const [a, b] = engines.all as [EngineUnderTest, EngineUnderTest];
    const former = await attachHandler(a);
    await engines.time.advance(2_000);
    await unsubscribe(b, former.id);
    const again = await attachHandler(b);
    await detach(b, again.id, { drainMs: 0 });
    await b.publishMany(4);
    await engines.time.advance(5_000);
    expect([...new Set(former.seen.map((seen) => Number.parseInt(seen, 10)))]).toEqual([1, 2, 3, 4]);
    expect(engines.ownerOf(again.id)).toBe(a);
    await engines.close();
  });
});

describe('a commit whose answer is lost', () => {
  /** Found at its next commit, it would look like that of somebody else: the queue would be read again, and its window attempted. */
  it('is known again as its own, and nothing is attempted twice', async () => {
    const engines = await SeveralEngines.of(1);
    const [a] = engines.all as [EngineUnderTest];
    const { id, seen } = await attachHandler(a, { tookMs: 30 });
    await engines.time.advance(2_000);
    let lost = 0;
    betweenProgress(engines.stateOf(a), async (commit) => {
      const revision = await commit();
      if (lost === 3) return revision;
      lost++;
      throw new EventManagerError('store_unavailable', 'The answer is lost.', { retryAfterMs: 50 });
    });
    await a.publishMany(20);
    await engines.time.advance(10_000);
    expect(lost).toBe(3);
    expect(seen).toEqual(numbers(1, 20));
    expect(a.engine.isServing(id)).toBe(true);
    expect(a.engine.subscriptions.instances).toMatchObject({ leases: { acquired: 1, lost: 0 } });
    await engines.close();
  });
});
