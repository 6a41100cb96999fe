import { type EventStore, type LostRange, memory } from '@event-manager/core';
import { allStored, sampleEvent, sampleEvents } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';
import { Bodies } from '../../src/dispatch/bodies.ts';
import { KeptEvent } from '../../src/dispatch/kept-event.ts';
import { Route } from '../../src/dispatch/route.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { systemTimers } from '../../src/runtime/clock.ts';
import { PatternIndex } from '../../src/topic/pattern-index.ts';

async function routeFrom(head: number, log: { events: number; trimmedThrough?: number }) {
  const adapter = memory();
  await adapter.open();
  await adapter.store.append(sampleEvents(log.events));
  if (log.trimmedThrough) await adapter.store.trim([{ partition: 0, position: log.trimmedThrough }]);
  const reads: number[] = [];
  const store: EventStore = Object.assign(Object.create(adapter.store), {
    read: (...args: Parameters<EventStore['read']>) => {
      reads.push(args[1]);
      if (reads.length > 20) throw new RangeError('It reads for ever.');
      return adapter.store.read(...args);
    },
  });
  const lost: LostRange[] = [];
  const failures: unknown[] = [];
  let advances = 0;
  const route = new Route({
    partition: 0,
    store,
    bodies: new Bodies(adapter.store, 0, DEFAULT_LIMITS),
    index: new PatternIndex(),
    head,
    wake: () => {},
    hasReaders: () => true,
    onAdvance: () => advances++,
    onLost: (range) => lost.push(range),
    onFailure: (error) => failures.push(error),
    timers: systemTimers,
  });
  return { adapter, route, reads, lost, failures, advances: () => advances };
}

function keptOf(n: number, position: number): KeptEvent {
  return new KeptEvent({ ...sampleEvent(n), place: { partition: 0, position }, recordedAtMs: 1 });
}

describe('following the log', () => {
  it('takes an event that follows on the head from memory, without reading', async () => {
    const { route, reads } = await routeFrom(3, { events: 4 });
    route.appended(keptOf(3, 4), 3);
    expect([route.head, reads]).toEqual([4, []]);
  });

  it('reads what somebody else appended in between before it goes on', async () => {
    const { route, adapter, reads } = await routeFrom(0, { events: 3 });
    const [appended] = allStored(await adapter.store.append(sampleEvents(1, 3)));
    route.appended(keptOf(3, 4), appended!.previous);
    expect(route.head).toBe(0);
    await route.reach(4);
    expect([route.head, reads[0]]).toEqual([4, 0]);
    expect(route.recent(0, 10)!.map(({ place }) => place.position)).toEqual([1, 2, 3, 4]);
  });

  it('routes no event twice, however often and from whichever side it hears of it', async () => {
    const { route } = await routeFrom(0, { events: 2 });
    await route.reach(2);
    route.appended(keptOf(1, 2), 1);
    route.catchUp();
    await route.reach(2);
    expect(route.recent(0, 10)).toHaveLength(2);
  });

  it('goes on behind a range that cannot be read any more, even when nothing follows it, and tells of it once', async () => {
    const { route, lost, failures } = await routeFrom(0, { events: 5, trimmedThrough: 5 });
    await route.reach(5);
    expect([route.head, failures]).toEqual([5, []]);
    expect(lost).toEqual([{ from: 1, through: 5, cause: 'trimmed' }]);
  });

  it('has nothing in memory for a stream that stands before a lost range: the store must tell it of the gap', async () => {
    const { route } = await routeFrom(0, { events: 5, trimmedThrough: 3 });
    await route.reach(5);
    expect(route.recent(1, 10)).toBeUndefined();
    expect(route.recent(3, 10)).toHaveLength(2);
  });

  it('ends waiting when the store cannot be read, instead of asking for ever', async () => {
    const { route, adapter, failures } = await routeFrom(0, { events: 1 });
    await adapter.close();
    await route.reach(1);
    expect([route.head, failures.length]).toEqual([0, 1]);
  });

  it('tells streams after the head moved', async () => {
    const { route, advances } = await routeFrom(0, { events: 1 });
    route.flush();
    expect(advances()).toBe(1);
    await route.reach(1);
    expect(advances()).toBeGreaterThan(1);
  });

  it('answers from memory only what is all there', async () => {
    const { route } = await routeFrom(2, { events: 4 });
    await route.reach(4);
    expect(route.recent(1, 10)).toBeUndefined();
    expect(route.recent(2, 1)!.map(({ place }) => place.position)).toEqual([3]);
    expect(route.recent(4, 10)).toEqual([]);
  });
});
