/** What a bus does that was told nothing. Programs count on these figures, and their sources name them. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import {
  BUS_WARNING,
  ErrorHandlingMiddleware,
  EventBus,
  EventReplayService,
  InMemoryEventStore,
  rateLimitingMiddleware,
  SnapshotService,
  serveBusHealth,
} from '@event-manager/core';
import { testEventBus } from '@event-manager/testing';
import { sampleEvents } from '@event-manager/testing/conformance';
import { expect, it, onTestFinished } from 'vitest';
import { readBusEnvironment, readKafkaEnvironment } from '../../src/bus/bus-environment.ts';
import { DATA_DIR_DEFAULT } from '../../src/bus/load-adapter.ts';
import { virtualBus } from './virtual-bus.ts';

it('gives a middleware five seconds', async () => {
  const { bus, time } = virtualBus();
  bus.use(() => new Promise(() => {}), { name: 'hangs' });
  let code: string | undefined;
  bus.publish('a', 'a', {}).catch((error) => {
    code = error.code;
  });
  await time.advance(4_999);
  expect(code).toBeUndefined();
  await time.advance(1);
  expect(code).toBe('middleware_timeout');
});

it('warns of the listener beyond a thousand, by its name', async () => {
  const told: string[] = [];
  const take = ({ name, message }: Error) => void (name === BUS_WARNING && told.push(message));
  process.on('warning', take);
  onTestFinished(() => void process.off('warning', take));
  const bus = new EventBus();
  for (let n = 0; n < 1_000; n++) bus.on('a', () => {});
  await setImmediate();
  expect(told).toEqual([]);
  bus.on('a', function forgotten() {});
  await setImmediate();
  expect(told).toEqual([expect.stringMatching(/^1001 listeners of "a" .* the last one is forgotten/)]);
});

it('tries four times, takes a return for an end, and tells of no dead letter', async () => {
  await using test = testEventBus();
  const { bus } = test;
  let attempts = 0;
  let letters = 0;
  await bus.subscribe('a', () => {
    attempts++;
    throw new TypeError('no');
  });
  await bus.subscribe('dlq.a', () => void letters++);
  await bus.publish('a', 'a', {});
  await test.settled();
  expect({ attempts, letters }).toEqual({ attempts: 4, letters: 0 });
  expect(await bus.eventManager.listDeadLetters()).toHaveLength(1);
});

it('is in memory, which says that it keeps nothing', async () => {
  const { bus, adapter } = virtualBus();
  expect([adapter.maxHistorySize, adapter.supports.durability, adapter.isForgetful]).toEqual([1_000, 'none', true]);
  expect(bus.getMetrics()).toMatchObject({ eventsPublished: 0 });
});

it('keeps a thousand emitted values for who reads later, and tells who reads too slowly', async () => {
  await using bus = new EventBus();
  await using kept = bus.events('a');
  for (let n = 0; n < 1_000; n++) bus.emit('a', n);
  expect(await kept.next()).toMatchObject({ value: { payload: 0 } });
  bus.emit('a', 1_000);
  bus.emit('a', 1_001);
  for (let n = 1; n <= 1_000; n++) expect(await kept.next()).toMatchObject({ value: { payload: n } });
  await expect(kept.next()).rejects.toMatchObject({ code: 'overloaded', details: { limit: 1_000 } });
});

it('limits events by the second, and remembers the last hundred that were refused', async () => {
  const { bus, time } = virtualBus();
  const errors = new ErrorHandlingMiddleware();
  bus.use(errors.middleware);
  bus.use(rateLimitingMiddleware({ limit: 1 }));
  await time.run(bus.publish('a', 'a', {}));
  for (let n = 0; n < 101; n++) {
    const details = { windowMs: 1_000, retryAfterMs: 1_000 };
    await expect(time.run(bus.publish('a', 'a', {}))).rejects.toMatchObject({ code: 'rate_limited', details });
  }
  expect([errors.counts['rate_limited'], errors.recent.length]).toEqual([101, 100]);
});

it('keeps a snapshot for each hundred events, and lists ten thousand of a replay', async () => {
  const store = new InMemoryEventStore(20_000);
  const snapshots = new SnapshotService(store);
  const counted = { name: 'count', initial: 0, apply: (count: number) => count + 1 };
  await store.append(sampleEvents(99));
  await snapshots.load(counted);
  expect(await store.loadSnapshot('count')).toBeUndefined();
  await store.append(sampleEvents(1, 100));
  await snapshots.load(counted);
  expect(await store.loadSnapshot('count')).toMatchObject({ state: 100, position: 100 });
  await store.append(sampleEvents(9_901, 101));
  const { events, isComplete } = await new EventReplayService(store).replayEvents();
  expect([events.length, isComplete]).toEqual([10_000, false]);
});

it('keeps its journal in a folder of the working directory, where it is told no other', () => {
  expect(DATA_DIR_DEFAULT).toBe('./event-bus-data');
});

it('is looked after at port 8080', async () => {
  await using bus = new EventBus();
  const taken = createServer().listen(8_080, '127.0.0.1');
  onTestFinished(() => void taken.close());
  // Somebody else may have it: then it is taken as well.
  await Promise.race([once(taken, 'listening'), once(taken, 'error')]).catch(() => {});
  await expect(serveBusHealth(bus)).rejects.toMatchObject({ code: 'EADDRINUSE', port: 8_080 });
});

it('lets this machine alone look after it', async () => {
  await using bus = new EventBus();
  await using health = await serveBusHealth(bus, { port: 0 });
  expect(new URL(health.url).hostname).toBe('127.0.0.1');
});

it('asks Kafka where its own programs would, as the variables say that are absent', () => {
  expect(readKafkaEnvironment({})).toEqual({
    brokers: ['localhost:9092'],
    clientId: 'event-bus',
    ssl: false,
    connectionTimeout: 30_000,
    requestTimeout: 30_000,
  });
  expect(() => readBusEnvironment({ EVENT_BUS_DEFAULT_MAX_RETRIES: '1001' })).toThrow(/from 0 to 1000/);
});
