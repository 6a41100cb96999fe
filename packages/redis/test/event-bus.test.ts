import {
  type BusEvent,
  createEventBus,
  createEventBusAdapter,
  EventBus,
  type Runtime,
  systemRuntime,
} from '@event-manager/core';
import { RedisAdapter } from '@event-manager/redis';
import { createTestKeys, type TestKeys } from '@event-manager/testing/servers';
import { expect, it, onTestFinished } from 'vitest';
import { askRedis } from './support/ask-redis.ts';
import { until } from './support/until.ts';
import { withRedis } from './support/with-redis.ts';

/** Retention. */
const LOOKS_EVERY_MS = 10_000;
const HOUR_MS = 60 * 60 * 1_000;

/** A runtime in which retention need not be waited for. */
function looksSooner(onLook = () => {}, clock = systemRuntime.clock): Runtime {
  const { timers } = systemRuntime;
  const after: typeof timers.after = (ms, ...rest) => {
    if (ms === LOOKS_EVERY_MS) onLook();
    return timers.after(ms === LOOKS_EVERY_MS ? 50 : ms, ...rest);
  };
  return { ...systemRuntime, clock, timers: { ...timers, after } };
}

async function keysOfTest(): Promise<TestKeys> {
  const keys = await createTestKeys();
  onTestFinished(() => keys.remove());
  return keys;
}

function busOn({ url, keyPrefix }: TestKeys, more: object = {}): EventBus {
  const bus = new EventBus(new RedisAdapter({ url, keyPrefix, ...more }), 'orders');
  onTestFinished(() => bus.close());
  return bus;
}

await withRedis(() => {
  it('gives every subscriber of every process all of it, and each group one of each', async () => {
    const keys = await keysOfTest();
    const buses = [busOn(keys), busOn(keys)];
    const alone: string[][] = [[], []];
    const grouped: string[][] = [[], []];
    for (const [at, bus] of buses.entries()) {
      await bus.subscribe('orders.*', (event: BusEvent) => void alone[at]!.push(event.id));
      const options = { consumerGroup: 'billing', maxConcurrency: 1 };
      await bus.subscribe('orders.*', (event: BusEvent) => void grouped[at]!.push(event.id), options);
    }
    const ids: string[] = [];
    for (let n = 0; n < 40; n++) {
      const result = await buses[n % 2]!.publish('orders.made', 'order.made', { n });
      if ('id' in result) ids.push(result.id);
    }
    await until(() => alone.every((got) => got.length === 40) && grouped.flat().length === 40);
    for (const got of alone) expect(got.toSorted()).toEqual(ids.toSorted());
    expect(grouped.flat().toSorted()).toEqual(ids.toSorted());
    expect(await buses[0]!.isHealthy()).toBe(true);
    expect(await buses[0]!.getStats()).toMatchObject({ adapter: 'redis', isHealthy: true, publishedEvents: 20 });
  });

  it('finds a flow whoever published it, and tells of what was given up on its topic', async () => {
    const keys = await keysOfTest();
    const [first, second] = [busOn(keys), busOn(keys)];
    const failed: BusEvent[] = [];
    await second.subscribe('orders.failed', (event: BusEvent) => void failed.push(event));
    await first.subscribe(
      'orders.processing',
      () => {
        throw new Error('out of stock');
      },
      { maxRetries: 0, useDLQ: true, dlqTopic: 'orders.failed' },
    );
    const correlationId = 'flow-1';
    await first.publish('orders.processing', 'order.made', {}, { metadata: { correlationId } });
    await second.publish('billing.events', 'bill.sent', {}, { metadata: { correlationId } });
    await until(() => failed.length === 1);
    expect(failed[0]!.metadata.failureReason).toMatch(/out of stock/);
    const flow = await second.queryEventsByCorrelationId(correlationId);
    expect(flow.map(({ type }) => type)).toEqual(expect.arrayContaining(['order.made', 'bill.sent']));
  });

  it('is made by a configuration or by the environment, in the words of either', async () => {
    const keys = await keysOfTest();
    const { hostname, port, password } = new URL(keys.url);
    const redis = { host: hostname, port: Number(port), password, db: 0, tls: false, keyPrefix: keys.keyPrefix };
    const adapter = await createEventBusAdapter({
      adapter: 'redis',
      redis,
      defaultSubscriptionOptions: { maxRetries: 5 },
    });
    expect(adapter).toBeInstanceOf(RedisAdapter);
    const bus = new EventBus(adapter, 'my-service');
    await bus.publish('a.b', 'a.b', {});
    const variables = { EVENT_BUS_ADAPTER: 'redis', REDIS_HOST: hostname, REDIS_PORT: port, REDIS_PASSWORD: password };
    const other = await createEventBusAdapter({ redis: { keyPrefix: keys.keyPrefix } }, variables);
    await using byEnvironment = await createEventBus('other', { adapter: other });
    const events = await byEnvironment.eventManager.getEvents({});
    expect(events.map(({ source, type }) => [source, type])).toEqual([['my-service', 'a.b']]);
    await bus.close();
  });

  it('opens by `initialize`, and whoever opens it afterwards finds it open', async () => {
    const keys = await keysOfTest();
    const adapter = new RedisAdapter({ url: keys.url, keyPrefix: keys.keyPrefix });
    await adapter.initialize();
    const bus = new EventBus(adapter);
    await bus.publish('a.b', 'a.b', {});
    expect(await adapter.store.bounds()).toMatchObject([{ head: 1 }]);
    await bus.close();
  });

  it('keeps no more than `maxHistory` of what is settled, and everything that is owed', async () => {
    const keys = await keysOfTest();
    const bus = busOn(keys, { maxHistory: 5 });
    const { id } = await bus.eventManager.subscribe({ topic: 'slow/*', name: 'slow' });
    for (let n = 0; n < 20; n++) await bus.publish('slow.work', 'slow.work', { n });
    const pulled = [];
    while (pulled.length < 20) pulled.push(...(await bus.eventManager.pull(id, { max: 20, waitMs: 1_000 })));
    expect(pulled.map(({ event }) => event.payload)).toEqual(Array.from({ length: 20 }, (_, n) => ({ n })));
    for (const each of pulled) await each.ack();
    await bus.close();
    const adapter = new RedisAdapter({ url: keys.url, keyPrefix: keys.keyPrefix, maxHistory: 5 });
    const later = new EventBus({ adapter, runtime: looksSooner() });
    onTestFinished(() => later.close());
    await until(
      async () => (await later.eventManager.getEvents({}, { limit: 100 })).length === 5,
      'the oldest ones went',
    );
  });

  it('keeps what is owed however old it is, and nothing else for longer than `ttlMs`', async () => {
    const keys = await keysOfTest();
    /** A process that is started so many hours later. */
    const busAfter = (hours: number) => {
      let looks = 0;
      const { clock } = systemRuntime;
      const later = { ...clock, wallMs: () => clock.wallMs() + hours * HOUR_MS };
      const runtime = looksSooner(() => looks++, later);
      const adapter = new RedisAdapter({ url: keys.url, keyPrefix: keys.keyPrefix, ttlMs: HOUR_MS, runtime });
      const bus = new EventBus({ adapter, runtime });
      onTestFinished(() => bus.close());
      const { eventManager } = bus;
      const kept = async () => (await eventManager.getEvents({}, { limit: 100 })).map(({ payload }) => payload['n']);
      return {
        publish: async (topic: string, ...all: readonly number[]) => {
          for (const n of all) await bus.publish(topic, 'work.asked', { n });
        },
        kept: async () => (await kept()).toSorted(),
        lookTwice: async () => {
          const before = looks;
          await until(() => looks >= before + 3, 'retention looks');
        },
        bounds: async () => (await adapter.store.bounds())[0]!,
        ...{ bus, eventManager },
      };
    };
    const first = busAfter(0);
    const { id } = await first.eventManager.subscribe({ topic: 'slow/*', name: 'slow' });
    await first.publish('slow.work', 1, 2, 3, 4);
    await first.publish('other.work', 5, 6);
    for (const delivery of await first.eventManager.pull(id, { max: 2, waitMs: 1_000 })) await delivery.ack();
    await first.lookTwice();
    expect(await first.kept()).toEqual([1, 2, 3, 4, 5, 6]);
    await first.bus.close();

    const second = busAfter(2);
    await second.publish('other.work', 7);
    await until(async () => !(await second.kept()).includes(2), 'what is settled and old goes');
    await second.lookTwice();
    // Nobody is owed 5 and 6, but they stand behind 3, which somebody is.
    expect(await second.kept()).toEqual([3, 4, 5, 6, 7]);
    expect(await second.bounds()).toMatchObject({ first: 3, events: 5 });
    for (const delivery of await second.eventManager.pull(id, { max: 2, waitMs: 5_000 })) await delivery.ack();
    await until(async () => (await second.kept()).length === 1, 'all that is old goes');
    await second.lookTwice();
    expect(await second.kept()).toEqual([7]);
    await second.bus.close();

    const third = busAfter(4);
    await until(async () => (await third.kept()).length === 0, 'the log is empty');
    const { first: next, head } = await third.bounds();
    expect(next).toBe(head + 1);
    await third.publish('other.work', 8);
    expect(await third.bounds()).toMatchObject({ first: next, head: next, events: 1 });
    await until(async () => (await askRedis(keys.url, 'HLEN', `${keys.keyPrefix}ids`)) === 1, 'their ids went as well');
  });
});
