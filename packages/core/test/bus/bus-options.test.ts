import { EventBus, EventManager, memory } from '@event-manager/core';
import { expect, it } from 'vitest';
import { virtualBus } from './virtual-bus.ts';

it('refuses an option that nobody reads, by its name', () => {
  const misspelt = { adaptor: memory() } as object;
  expect(() => new EventBus(misspelt)).toThrow(/EventBus has no option "adaptor"; it has name, maxListeners/);
  const defaults = { defaultSubscriptionOptions: { retries: 3 } as object };
  expect(() => new EventBus(defaults)).toThrow(/defaultSubscriptionOptions has no option "retries"/);
});

it.each([null, 5, 'memory'])('refuses %j in place of options', (given) => {
  expect(() => new EventBus(given as never)).toThrow('takes options or an adapter');
});

it.each(['redis', {}, () => {}])('refuses %j in place of an adapter, and not with the first event', (adapter) => {
  expect(() => new EventBus({ adapter } as object)).toThrow(
    /adapter of an EventBus is an object .* createEventBusAdapter/,
  );
  expect(() => new EventManager({ adapter } as object)).toThrow(/adapter of an EventManager is an object/);
});

it.each([
  ['name', ''],
  ['maxListeners', -1],
  ['maxListeners', Number.NaN],
  ['middlewareTimeout', 0],
  ['enableMetrics', 'yes'],
  ['enablePersistence', 1],
  ['defaultSubscriptionOptions', { maxRetries: 1.5 }],
  ['defaultSubscriptionOptions', { autoAck: 'false' }],
])('refuses %s: %j', (name, value) => {
  expect(() => new EventBus({ [name]: value })).toThrow(TypeError);
});

it('takes the options of an event manager, too', async () => {
  await using bus = new EventBus({ topicsStrict: true });
  await expect(bus.publish('a', 'b', {})).rejects.toMatchObject({ code: 'topic_not_declared' });
});

it('leaves it to the engine what retries are like where it only knows how many', async () => {
  const retryPolicy = { initialDelay: 7, maxRetries: 9 };
  await using bus = new EventBus({ retryPolicy, defaultSubscriptionOptions: { maxRetries: 2 } });
  const policyOf = async (options: object) => {
    const id = await bus.subscribe('a', () => {}, options);
    return (await bus.eventManager.getSubscription(id)).options.retry;
  };
  expect(await policyOf({})).toMatchObject({ initialDelay: 7, maxRetries: 2 });
  expect(await policyOf({ maxRetries: 4 })).toMatchObject({ initialDelay: 7, maxRetries: 4 });
  expect(await policyOf({ retryPolicy: { initialDelay: 8 } })).toMatchObject({ initialDelay: 8, maxRetries: 2 });
  expect(await policyOf({ retryPolicy: { max_retries: 5 } })).toMatchObject({ maxRetries: 5 });
});

it('forgets what is settled in memory and older than the history, and nothing that is owed', async () => {
  const { bus, time, adapter } = virtualBus({ maxHistorySize: 10 });
  const publish = (topic: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, at) => bus.publish(topic, 'counted', { at })));
  const kept = async () => {
    await time.advance(60_000);
    return (await adapter.store.bounds())[0]!.events;
  };
  await time.run(publish('quick', 100));
  expect(await kept()).toBe(10);
  expect(adapter.getHistory()).toHaveLength(10);
  const id = await time.run(bus.subscribe('slow', () => {}));
  await time.run(bus.eventManager.pauseSubscription(id));
  await time.run(publish('slow', 50));
  await time.run(publish('quick', 50));
  expect(await kept()).toBe(100);
  await time.run(bus.eventManager.resumeSubscription(id));
  expect(await kept()).toBe(10);
  await time.run(bus.close());
});

it('forgets in memory what is settled as fast as it comes, and not only now and then', async () => {
  const { bus, adapter, time } = virtualBus();
  let got = 0;
  await time.run(bus.subscribe('a', () => void got++));
  const burst = async (count: number) => {
    await time.run(Promise.all(Array.from({ length: count }, () => bus.publish('a', 'a', {}))));
    await time.advance(100);
  };
  // Far less than the ten seconds after which the log is looked at anyway.
  for (let n = 0; n < 25; n++) await burst(1_000);
  const [log] = await time.run(adapter.store.bounds());
  expect([got, log!.head]).toEqual([25_000, 25_000]);
  expect(log!.head - log!.first).toBeLessThan(6_001);
});
