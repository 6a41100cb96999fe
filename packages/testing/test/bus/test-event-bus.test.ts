import { failing, hanging, testEventBus } from '@event-manager/testing';
import { expect, it } from 'vitest';

it('is awaited as any bus while nothing needs time to pass', async () => {
  await using test = testEventBus();
  const collector = await test.collect('orders');
  const startMs = test.time.monotonicMs();
  await test.bus.publish('orders', 'order.placed', { number: 1 });
  expect(collector.assertEventEmitted('order.placed').payload).toEqual({ number: 1 });
  expect(test.published('orders')).toHaveLength(1);
  expect(test.time.monotonicMs()).toBe(startMs);
});

it('makes retries when their time comes and not before', async () => {
  await using test = testEventBus();
  const shipped: number[] = [];
  const retryPolicy = { backoffStrategy: 'fixed', initialDelay: 1_000, jitter: false } as const;
  const ship = failing(2, () => void shipped.push(test.time.monotonicMs()));
  const startMs = test.time.monotonicMs();
  await test.bus.subscribe('orders', ship, { retryPolicy });
  await test.bus.publish('orders', 'order.placed', {});
  await test.advance(1_999);
  expect(shipped).toEqual([]);
  await test.advance(1);
  expect(shipped).toEqual([startMs + 2_000]);
});

it('settles what is owed however long that takes, and no longer', async () => {
  await using test = testEventBus();
  const attempts: number[] = [];
  await test.bus.subscribe('orders', (_event, { attempt }) => {
    attempts.push(attempt);
    throw new TypeError('never');
  });
  await test.bus.publish('orders', 'order.placed', {});
  await test.settled();
  expect(attempts).toEqual([1, 2, 3, 4]);
  expect(await test.bus.eventManager.listDeadLetters()).toHaveLength(1);
});

it('publishes later what is scheduled', async () => {
  await using test = testEventBus();
  const collector = await test.collect();
  await test.bus.publish('orders', 'order.reminded', {}, { delayMs: 3_600_000 });
  await test.advance(3_599_999);
  collector.assertNoEventEmitted('order.reminded');
  await test.advance(1);
  collector.assertEventEmitted('order.reminded');
});

it('ends a handler that hangs by its time limit', async () => {
  await using test = testEventBus();
  let handled = 0;
  await test.bus.subscribe(
    'orders',
    hanging(1, () => void handled++),
    { timeoutMs: 2_000 },
  );
  const published = test.bus.publish('orders', 'order.placed', {});
  await test.advance(1_999);
  expect(handled).toBe(0);
  await test.run(published);
  await test.settled();
  expect(handled).toBe(1);
});

it('refuses what a middleware holds for too long', async () => {
  await using test = testEventBus({ middlewareTimeout: 2_000 });
  test.bus.use(hanging(1, (_event: unknown, next: () => unknown) => next()));
  const published = expect(test.bus.publish('orders', 'order.placed', {})).rejects.toMatchObject({
    code: 'middleware_timeout',
  });
  await test.advance(2_000);
  await published;
  expect(test.published()).toEqual([]);
});

it('is typed as any bus', async () => {
  await using test = testEventBus<{ 'order.placed': { number: number } }>();
  const seen: number[] = [];
  await test.bus.subscribe('*', (event) => void seen.push(event.payload.number));
  await test.bus.publish('orders', 'order.placed', { number: 1 });
  // @ts-expect-error: there is no such event
  await test.bus.publish('orders', 'order.lost', { number: 2 });
  expect(seen).toEqual([1, 2]);
});

it('waits for what comes true, and says when it does not', async () => {
  await using test = testEventBus();
  let isThere = false;
  test.time.after(1_000, () => {
    isThere = true;
  });
  await expect(test.waitFor(() => isThere, { withinMs: 999 })).rejects.toThrow('within 999 ms');
  await test.waitFor(() => isThere);
});

it('throws as soon as something is true that never may be, and lets the time pass otherwise', async () => {
  await using test = testEventBus();
  const startMs = test.time.monotonicMs();
  let isThere = false;
  await test.never(() => isThere, { forMs: 500 });
  expect(test.time.monotonicMs()).toBe(startMs + 500);
  test.time.after(1_000, () => {
    isThere = true;
  });
  await expect(test.never(() => isThere, { forMs: 60_000 })).rejects.toThrow('after 1000 ms');
});

it('is the same run each time', async () => {
  const run = async () => {
    await using test = testEventBus({ seed: 7 });
    const seen: unknown[] = [];
    await test.bus.subscribe(
      'orders',
      failing(3, ({ id }: { id: string }) => void seen.push([id, test.time.monotonicMs()])),
    );
    for (let number = 0; number < 5; number++) await test.bus.publish('orders', 'order.placed', { number });
    await test.settled();
    return seen;
  };
  expect(await run()).toEqual(await run());
});

it('closes with what is owed still owed', { timeout: 10_000 }, async () => {
  const test = testEventBus();
  await test.bus.subscribe('orders', failing(1));
  await test.bus.publish('orders', 'order.placed', {});
  test.store.fail();
  await test.close();
  expect(await test.bus.isHealthy()).toBe(false);
});
