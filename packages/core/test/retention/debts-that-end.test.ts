import { ANONYMOUS, type EventHandler, EventManagerError } from '@event-manager/core';
import { mostInWindow, SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { durableWorld, fixedRetry, openMemory, openOn, sinkOf } from '../open-engine.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const RETENTION = { ageMs: MINUTE, owedAgeMs: HOUR };

const firstOf = async (store: { bounds(): Promise<readonly { first: number }[]> }) => (await store.bounds())[0]!.first;

describe('what a blocked key is owed', () => {
  /** The first event fails for days. Behind it: one that waits, one that expired before it came there, one that its filter refuses, and one more. */
  async function blocked(onFailure: 'block' | 'park' = 'block') {
    const { time, kept, open } = durableWorld();
    const bus = await open({ retention: RETENTION });
    const { subscriptions } = bus.engine;
    const { id } = await bus.subscribe({
      name: 's',
      filter: { payload: { n: { anythingBut: 5 } } },
      options: { order: 'topic', onFailure, retryPolicy: fixedRetry(onFailure === 'park' ? 0 : 1_000, 7 * DAY) },
      handler: ({ payload }) => ({ success: payload['n'] !== 1 }),
    });
    await bus.publishMany(1, 1);
    await time.advance(500);
    await time.run(subscriptions.pause(ANONYMOUS, id));
    const expiring = (afterMs: number) => ({
      metadata: { expiresAt: new Date(time.wallMs() + afterMs).toISOString() },
    });
    await bus.publishMany(1, 2);
    await bus.publishMany(1, 3, expiring(SECOND));
    await bus.publishMany(1, 4, expiring(10 * MINUTE));
    await bus.publishMany(2, 5);
    await time.advance(2 * SECOND);
    await time.run(subscriptions.resume(ANONYMOUS, id));
    await time.advance(2 * SECOND);
    await time.run(subscriptions.detach(ANONYMOUS, id));
    return { time, kept, bus };
  }

  it.each(['block', 'park'] as const)(
    'is counted once when it ends, also what never came there (%s)',
    async (onFailure) => {
      const { time, bus } = await blocked(onFailure);
      const before = bus.engine.metrics().deliveries;
      expect(before).toMatchObject({ expired: 1, skipped: 1, removed: 0 });
      await time.advance(HOUR + MINUTE);
      const { removed, expired, skipped, withdrawn, deadLettered } = bus.engine.metrics().deliveries;
      expect({ removed: removed + deadLettered, expired, skipped, withdrawn }).toEqual({
        removed: 3,
        expired: 2,
        skipped: 1,
        withdrawn: 0,
      });
      await bus.close();
    },
  );

  it('is not what an urgent priority had settled within its range before its order began', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const { subscriptions } = bus.engine;
    const urgent = Promise.withResolvers<void>();
    const handler: EventHandler = ({ payload }) => (payload['n'] === 3 ? urgent.promise : { success: false });
    const retryPolicy = fixedRetry(1_000, 7 * DAY);
    const { id } = await bus.subscribe({ name: 's', options: { retryPolicy }, handler });
    await time.run(subscriptions.pause(ANONYMOUS, id));
    await bus.publishMany(2, 1);
    await bus.publishMany(1, 3, { priority: 'CRITICAL' });
    await time.run(subscriptions.resume(ANONYMOUS, id));
    await time.run(subscriptions.pause(ANONYMOUS, id));
    urgent.resolve();
    await time.advance(SECOND);
    await time.run(subscriptions.update(ANONYMOUS, id, { options: { order: 'topic' } }));
    await time.run(subscriptions.resume(ANONYMOUS, id));
    await bus.publishMany(1, 4);
    await time.advance(SECOND);
    expect(bus.status(id)).toMatchObject({ waiting: 2, blockedKeys: 1 });
    bus.crash();

    const next = await open({ retention: RETENTION });
    await time.advance(HOUR + MINUTE);
    expect(next.engine.metrics().deliveries).toMatchObject({ removed: 3, delivered: 0, withdrawn: 0 });
    await next.close();
  });

  it('is counted once when only a part of it ends and the rest is delivered', async () => {
    const { time, bus } = await blocked('park');
    await time.advance(HOUR - MINUTE);
    const got: unknown[] = [];
    const handler: EventHandler = ({ payload }) => void got.push(payload['n']);
    // What comes now stands in the same range and is owed for an hour more.
    const { id } = await bus.subscribe({
      name: 's',
      filter: { payload: { n: { anythingBut: 5 } } },
      options: { order: 'topic', onFailure: 'park', retryPolicy: fixedRetry(0, 7 * DAY) },
      handler,
    });
    await bus.publishMany(2, 7);
    await time.advance(2 * MINUTE);
    await time.run(bus.engine.subscriptions.keys.release(ANONYMOUS, id, 'order/created'));
    await bus.settled();
    const { removed, expired, skipped, withdrawn, delivered, deadLettered } = bus.engine.metrics().deliveries;
    expect(got).toEqual([7, 8]);
    expect(removed + expired + skipped + withdrawn + delivered + deadLettered).toBe(8);
    await bus.close();
  });
});

describe('what a subscription without a name is owed', () => {
  it('is counted when it goes, not at every look', async () => {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(1), stallShare: 0, hintLossShare: 0 });
    const handle = shared.connect();
    const limits = { laneEntriesMax: 2 };
    const bus = await openOn(handle, time, { owner: 'a', retention: RETENTION, limits });
    const { id } = await bus.subscribe({ handler: () => {}, options: { maxConcurrency: 1 } });
    await time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    // Somebody else serves this one, and is out of order: its debts hold the log, whatever their age.
    const { id: held } = await bus.subscribe({ name: 'held', topic: '#', handler: () => {} });
    await time.run(bus.engine.subscriptions.detach(ANONYMOUS, held));
    const other = shared.connect();
    await time.run(other.open());
    await time.run(other.state.acquire([`subscription/${held}`], { owner: 'b', ttlMs: 30 * DAY }));
    await bus.publishMany(12);
    await time.advance(HOUR + MINUTE);
    expect([await firstOf(shared.kept.store), bus.status(id).counts.removed]).toEqual([1, 0]);
    await time.run(other.close());
    await bus.close();
  });

  it('is counted once where it goes', async () => {
    const bus = await openMemory({ retention: RETENTION, limits: { laneEntriesMax: 2 } });
    const { id } = await bus.subscribe({ handler: () => {} });
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.publishMany(12);
    await bus.time.advance(HOUR + MINUTE);
    await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.settled();
    // Two were in memory.
    expect(bus.status(id).counts).toMatchObject({ removed: 10, delivered: 2 });
    await bus.close();
  });
});

describe('a look at the log', () => {
  it('frees at once what turns out to be owed to nobody when a subscription is asked for its debts', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open({ retention: RETENTION });
    // What is delivered is not durably so: the disk is full.
    const handler: EventHandler = () => {
      kept.interfere = (call) => {
        if (call === 'commit') throw new EventManagerError('disk_full', 'Full.');
      };
    };
    await bus.subscribe({ name: 's', handler });
    await bus.publishMany(10);
    await time.advance(HOUR + MINUTE);
    expect(await firstOf(kept.kept.store)).toBe(1);
    kept.interfere = () => {};
    await time.run(bus.engine.retention.runNow());
    expect(await firstOf(kept.kept.store)).toBe(11);
    await bus.close();
  });
});

describe('a subscription that begins with the oldest event while that is about to go', () => {
  it.each([false, true])('gets it or is told that it went (shared: %s)', async (shared) => {
    const { time, kept } = durableWorld();
    const setUp = { retention: RETENTION, owner: 'a', limits: { laneEntriesMax: 2 } };
    const bus = await openOn(kept.connect({ shared }), time, setUp, kept);
    const slow = await bus.subscribe({ name: 'slow', handler: () => time.wait(HOUR), options: { timeoutMs: HOUR } });
    await time.advance(3 * SECOND);
    await bus.publishMany(10);
    // What it has under way is waited for before its debts end.
    await time.advance(HOUR + 2 * SECOND - 4 * SECOND);
    const looked = () => kept.calls.some(({ call }) => call === 'trim');
    await time.runUntil(() => !bus.engine.isServing(slow.id), MINUTE);
    expect(looked()).toBe(false);
    const got = new Set<unknown>();
    const handler: EventHandler = async ({ payload }) => {
      await time.wait(10 * SECOND);
      got.add(payload['n']);
    };
    const { id } = await bus.subscribe({ name: 'new', handler, options: { startFrom: 'earliest' } });
    await time.advance(10 * MINUTE);
    expect(looked()).toBe(true);
    const status = await time.run(bus.engine.subscriptions.progress(ANONYMOUS, id));
    expect(got.size + (status.debtRemoved?.count ?? 0)).toBeGreaterThanOrEqual(10);
    bus.crash();
  });
});

describe('the limit of a rate', () => {
  it('holds also when the debts of a process that died end before another one begins', async () => {
    const PER_MINUTE = 10;
    const { time, open } = durableWorld();
    const attemptsAtMs: number[] = [];
    const serving = {
      retention: { ageMs: SECOND, owedAgeMs: 5 * SECOND },
      webhookSink: () =>
        sinkOf(async (batch) => {
          attemptsAtMs.push(...batch.map(() => time.monotonicMs()));
          return batch.map(() => ({ status: 'delivered' }) as const);
        }),
    };
    const first = await open(serving);
    const options = { rateLimitPerMinute: PER_MINUTE, inFlightMax: 5, retryPolicy: fixedRetry(3) };
    await first.subscribe({ name: 'limited', endpoint: 'https://a.example/', options });
    await first.publishMany(30);
    await time.advance(2 * SECOND);
    first.crash();
    // Nobody serves it here: this process has no way to webhooks, but removes what is too old.
    const second = await open({ retention: serving.retention });
    await second.publishMany(30, 31);
    await time.advance(15 * SECOND);
    expect(second.engine.metrics().deliveries.removed).toBeGreaterThan(0);
    await second.close();
    const third = await open(serving);
    await third.publishMany(30, 61);
    await time.advance(20 * SECOND);
    expect(mostInWindow(attemptsAtMs, MINUTE)).toBe(PER_MINUTE);
    await third.close();
  });
});
