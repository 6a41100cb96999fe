import {
  ANONYMOUS,
  decodeEvent,
  type EventBusAdapter,
  EventManagerError,
  isEventManagerError,
} from '@event-manager/core';
import { SeededChance } from '@event-manager/testing';
import { expect, it } from 'vitest';
import type { KeptAdapter } from './kept-adapter.ts';
import { anEvent, durableWorld, openOn } from './open-engine.ts';

const away = () => new EventManagerError('store_unavailable', 'The server cannot be reached.', { retryAfterMs: 1_000 });

async function openShared(setUp: object = {}) {
  const { time, kept } = durableWorld();
  const bus = await openOn(kept.connect({ shared: true }), time, { systemEvents: true, ...setUp }, kept);
  return { bus, kept, time };
}

/** If this failed, a database that restarts would take down every service that uses it. */
it('a store that is away stops nothing for good: what was refused is told, what was owed is delivered afterwards', async () => {
  const { bus, kept, time } = await openShared();
  const received: unknown[] = [];
  await bus.subscribe({ topic: '#', name: 'n', handler: ({ payload }) => void received.push(payload['n']) });
  await bus.publishMany(10);
  await bus.settled();

  kept.interfere = () => {
    throw away();
  };
  kept.health = { status: 'unavailable', reason: 'The server cannot be reached.', facts: {} };
  await expect(bus.publish()).rejects.toMatchObject({ code: 'store_unavailable' });
  await time.advance(30_000);
  expect(bus.engine.health()).toMatchObject({ status: 'degraded', reason: 'The server cannot be reached.' });
  expect(bus.engine.metrics().store).toMatchObject({ isUp: false });
  expect(bus.engine.metrics().store.unavailableSeconds).toBeCloseTo(30, 0);
  // Somebody else appends while this process sees nothing.
  const other = await openOn(memoryOf(kept), time);
  await other.publishMany(5, 11);

  kept.interfere = () => {};
  kept.health = { status: 'ok', facts: {} };
  await time.advance(10_000);
  await bus.publishMany(5, 16);
  await bus.settled();
  expect(received).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  expect(bus.engine.health().status).toBe('ok');
  expect(bus.engine.metrics().store.unavailableSeconds).toBeCloseTo(30, 0);
  const request = { limit: 10, direction: 'forward' } as const;
  const { records } = await time.run(bus.engine.history.find(ANONYMOUS, { topic: '$sys/store/#' }, request));
  expect(records.map(({ topic, body }) => [topic, decodeEvent(body).payload])).toMatchObject([
    ['$sys/store/recovered', { from: 'unavailable', reason: 'The server cannot be reached.', adapter: 'kept' }],
  ]);
});

it.each([1, 2, 3, 4, 5])('a store that fails every third call loses nothing, seed %i', async (seed) => {
  const chance = new SeededChance(seed);
  const { bus, kept, time } = await openShared({ limits: { queueMaxSize: 8 } });
  const received = { plain: new Set<unknown>(), ordered: [] as unknown[] };
  const order = { order: 'key', orderingKey: 'payload.key' };
  await bus.subscribe({ topic: '#', name: 'p', handler: ({ payload }) => void received.plain.add(payload['n']) });
  await bus.subscribe({
    ...{ topic: '#', name: 'o', options: order },
    handler: ({ payload }) => void received.ordered.push(payload['n']),
  });
  kept.interfere = () => {
    if (chance.fraction() < 1 / 3) throw away();
  };
  const numbers = Array.from({ length: 100 }, (_, at) => at + 1);
  for (const n of numbers) {
    for (let isStored = false; !isStored; ) {
      try {
        await time.run(bus.engine.publish(ANONYMOUS, anEvent({ payload: { n, key: 'k' } })));
        isStored = true;
      } catch (error) {
        if (!isEventManagerError(error, 'store_unavailable')) throw error;
      }
    }
  }
  await time.advance(120_000);
  kept.interfere = () => {};
  await bus.settled();
  expect([...received.plain].toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers);
  expect([...new Set(received.ordered)]).toEqual(numbers);
  expect(bus.engine.health().status).toBe('ok');
});

/** If this failed, nobody would know why everything is slower, or somebody would be called at night for nothing. */
it('a store that lacks what it can do without is degraded and ready, says so, and says when it is back', async () => {
  const { bus, kept, time } = await openShared();
  const since = '2026-01-01T00:00:00.000Z';
  kept.health = { status: 'ok', facts: {}, impairment: { what: 'redis', reason: 'Redis does not answer.', since } };
  await time.advance(1_000);
  expect(bus.engine.health()).toMatchObject({ status: 'degraded', reason: 'Redis does not answer.' });
  expect(bus.engine.metrics().store).toMatchObject({ isUp: true, isImpaired: true });
  // Another reason is no news.
  kept.health = { status: 'ok', facts: {}, impairment: { what: 'redis', reason: 'Redis cannot be reached.', since } };
  await time.advance(1_000);
  kept.health = { status: 'ok', facts: {} };
  await time.advance(1_000);
  expect(bus.engine.health().status).toBe('ok');
  expect(bus.engine.metrics().store.isImpaired).toBe(false);
  const request = { limit: 10, direction: 'forward' } as const;
  const { records } = await time.run(bus.engine.history.find(ANONYMOUS, { topic: '$sys/store/#' }, request));
  const told = { adapter: 'kept', what: 'redis', since };
  expect(records.map(({ topic, body }) => [topic, decodeEvent(body).payload])).toMatchObject([
    ['$sys/store/impaired', { ...told, reason: 'Redis does not answer.' }],
    ['$sys/store/unimpaired', { ...told, reason: 'Redis cannot be reached.' }],
  ]);
});

/** The same records by a way of its own, which nothing interferes with. */
function memoryOf({ kept: { store, state, supports } }: KeptAdapter): EventBusAdapter {
  const health = () => ({ status: 'ok', facts: {} }) as const;
  return {
    name: 'other',
    store,
    state,
    supports,
    health,
    open: async () => {},
    close: async () => {},
    watch: () => () => {},
  };
}
