import { type EventStore, memory, type Position } from '@event-manager/core';
import { SeededChance } from '@event-manager/testing';
import { sampleEvent } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';
import { NO_CONTEXT } from '../../src/context/context-cell.ts';
import { ActiveSubscription } from '../../src/dispatch/active-subscription.ts';
import { Bodies } from '../../src/dispatch/bodies.ts';
import { noCounts } from '../../src/dispatch/delivery-counts.ts';
import { DeliveryLog } from '../../src/dispatch/delivery-log.ts';
import { KeptEvent } from '../../src/dispatch/kept-event.ts';
import { LocalQueue } from '../../src/dispatch/local-queue.ts';
import { offerLive, ReadBack } from '../../src/dispatch/offer.ts';
import { RecordedTimes } from '../../src/dispatch/pace/recorded-times.ts';
import { queueKeys } from '../../src/dispatch/serve.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { systemClock, systemTimers } from '../../src/runtime/clock.ts';
import { parseSubscription } from '../../src/subscription/parse-subscription.ts';
import { PatternIndex } from '../../src/topic/pattern-index.ts';
import { sinkOf } from '../open-engine.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function logOf(count: number) {
  const adapter = memory();
  await adapter.open();
  const events = Array.from({ length: count }, (_, n) => sampleEvent(n, { topic: n % 2 ? 'odd' : 'even' }));
  await adapter.store.append(events);
  const reads: Position[] = [];
  const store: EventStore = Object.assign(Object.create(adapter.store), {
    read: (...args: Parameters<EventStore['read']>) => {
      reads.push(args[1]);
      return adapter.store.read(...args);
    },
  });
  const index = new PatternIndex<ActiveSubscription>();
  const subscriptions = new Map<string, ActiveSubscription>();
  const failures: unknown[] = [];
  const readBack = new ReadBack({
    log: new DeliveryLog({ clock: systemClock, instance: 'test' }),
    partition: 0,
    store,
    bodies: new Bodies(store, 0, DEFAULT_LIMITS),
    index,
    subscriptions,
    routedHead: () => count,
    wallMs: () => 0,
    wake: () => {},
    onLost: () => {},
    onFailure: (error) => failures.push(error),
    timers: systemTimers,
  });
  const join = (id: string, topic: string, floor = 0, laneEntriesMax = 10_000) => {
    const subscription = subscriptionOf(id, topic, floor, laneEntriesMax);
    subscriptions.set(id, subscription);
    index.add(subscription.pattern, subscription);
    return subscription;
  };
  /** A memory store answers within the turn, so the whole scan is over when the turn is. */
  const scan = async () => {
    readBack.start();
    await turn();
  };
  return { adapter, index, join, readBack, scan, reads, failures };
}

function subscriptionOf(id: string, topic: string, floor: Position, laneEntriesMax: number): ActiveSubscription {
  const request = parseSubscription({ topic, handler: () => {} }, DEFAULT_LIMITS);
  return new ActiveSubscription({
    definition: { id, ...request, state: 'active', createdAtMs: 0, updatedAtMs: 0 },
    known: NO_CONTEXT,
    sink: sinkOf(() => []),
    queue: new LocalQueue(floor, {
      keys: queueKeys(id, 0),
      durable: true,
      inFlightMax: 1_000,
      laneEntriesMax,
      owedMax: 10_000,
    }),
    limits: DEFAULT_LIMITS,
    held: undefined,
    progress: undefined,
    chance: new SeededChance(1),
    times: new RecordedTimes(),
    totals: noCounts(),
  });
}

const waiting = (subscription: ActiveSubscription) => [...subscription.queue.lanes[2]!.waitingPositions()];

describe('reading back', () => {
  it('brings a subscription everything that matches behind its floor, and its lanes live', async () => {
    const { join, scan } = await logOf(1_200);
    const odd = join('s', 'odd', 1_000);
    await scan();
    expect(waiting(odd)).toEqual(Array.from({ length: 100 }, (_, at) => 1_002 + 2 * at));
    expect(odd.queue.lanes.map((lane) => lane.state)).toEqual(['live', 'live', 'live', 'live']);
  });

  it('is one scan for all that stand at the same place', async () => {
    const { join, scan, reads } = await logOf(1_000);
    const all = Array.from({ length: 200 }, (_, n) => join(`s${n}`, n % 2 ? 'odd' : 'even'));
    await scan();
    expect(reads).toEqual([0, 512]);
    expect(all.every((subscription) => waiting(subscription).length === 500)).toBe(true);
  });

  it('serves the one furthest behind first, and misses nothing of those ahead of it', async () => {
    const { join, scan } = await logOf(1_000);
    const [far, near] = [join('far', '#', 100), join('near', '#', 990)];
    await scan();
    expect([waiting(far).length, waiting(near)]).toEqual([900, Array.from({ length: 10 }, (_, at) => 991 + at)]);
  });

  it('stops at a full lane and continues behind it once there is room, without loss or duplicate', async () => {
    const { join, readBack } = await logOf(100);
    const { queue } = join('s', '#', 0, 10);
    const lane = queue.lanes[2]!;
    const claimed: Position[] = [];
    for (let round = 0; round < 100 && lane.state !== 'live'; round++) {
      readBack.start();
      await turn();
      expect(lane.waiting).toBeLessThanOrEqual(10);
      while (lane.waiting > 2) {
        claimed.push(lane.peek()!);
        lane.settle(lane.claim());
      }
    }
    expect([...claimed, ...lane.waitingPositions()]).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    await readBack.stop();
  });

  it('goes over a trimmed beginning', async () => {
    const { adapter, join, scan } = await logOf(20);
    await adapter.store.trim([{ partition: 0, position: 15 }]);
    const all = join('s', '#');
    await scan();
    expect(waiting(all)).toEqual([16, 17, 18, 19, 20]);
  });

  it('reads nothing when every lane stands at the head', async () => {
    const { join, scan, reads } = await logOf(20);
    const all = join('s', '#', 20);
    await scan();
    expect([reads, all.queue.isSettled()]).toEqual([[], true]);
  });

  it('tells a failure of the store', async () => {
    const { adapter, join, scan, failures } = await logOf(20);
    join('s', '#');
    await adapter.close();
    await scan();
    expect(failures).toHaveLength(1);
  });
});

describe('a live offer', () => {
  it('reaches those whose pattern matches, counts handlers that a publisher waits for, and wakes each', async () => {
    const { index, join, scan } = await logOf(0);
    const [odd, even] = [join('odd', 'odd'), join('even', 'even')];
    await scan();
    const kept = new KeptEvent({
      ...sampleEvent(1, { topic: 'odd' }),
      place: { partition: 0, position: 1 },
      recordedAtMs: 0,
    });
    kept.awaitsAttempts = true;
    const woken: string[] = [];
    offerLive(kept, index, (subscription) => woken.push(subscription.id));
    expect([waiting(odd), waiting(even), woken, kept.firstAttempts]).toEqual([[1], [], ['odd'], 1]);
  });
});
