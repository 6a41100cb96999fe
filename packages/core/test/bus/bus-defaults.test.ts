/** What a bus does that was told nothing. Programs count on these figures, and their sources name them. */
import { setImmediate } from 'node:timers/promises';
import { BUS_WARNING, EventBus, serveBusHealth } from '@event-manager/core';
import { testEventBus } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { readBusEnvironment, readKafkaEnvironment } from '../../src/bus/bus-environment.ts';
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
