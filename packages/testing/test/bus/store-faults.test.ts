import { EventManager, memory } from '@event-manager/core';
import { faulty, testEventBus } from '@event-manager/testing';
import { expect, it } from 'vitest';

const ID = '0198c0de-0000-7000-8000-00000000000a';

it('refuses so many publications of a store that is away, and then takes them', async () => {
  await using test = testEventBus();
  const collector = await test.collect();
  test.store.fail({ of: 'append', times: 2 });
  const away = { code: 'store_unavailable', retryable: true };
  for (let time = 0; time < 2; time++) {
    expect(await test.bus.isHealthy()).toBe(false);
    await expect(test.bus.publish('orders', 'order.placed', {})).rejects.toMatchObject(away);
  }
  expect(test.published()).toEqual([]);
  await test.bus.publish('orders', 'order.placed', {});
  expect(await test.bus.isHealthy()).toBe(true);
  collector.assertEventEmitted('order.placed', { times: 1 });
});

it('is full until there is room', async () => {
  await using test = testEventBus();
  await test.bus.initialize();
  test.store.fill();
  await expect(test.bus.publish('orders', 'order.placed', {})).rejects.toMatchObject({ code: 'disk_full' });
  test.store.restore();
  await expect(test.bus.publish('orders', 'order.placed', {})).resolves.toMatchObject({ duplicate: false });
});

it('is slow', async () => {
  await using test = testEventBus();
  await test.bus.initialize();
  const startMs = test.time.monotonicMs();
  test.store.delay(200, { of: 'append' });
  await test.run(test.bus.publish('orders', 'order.placed', {}));
  expect(test.time.monotonicMs()).toBe(startMs + 200);
});

it('loses an answer: the event is there, and its publisher is told so when it asks again under the id', async () => {
  await using test = testEventBus();
  const collector = await test.collect();
  test.store.loseAnswers({ of: 'append', times: 1 });
  const event = { id: ID, topic: 'orders', type: 'order.placed', payload: {} };
  await expect(test.bus.publish(event)).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(test.published()).toHaveLength(1);
  expect(await test.bus.publish(event)).toMatchObject({ id: ID, duplicate: true });
  await test.settled();
  collector.assertEventEmitted('order.placed', { times: 1 });
});

it('loses the answers of commits without a dead letter, a delivery or a debt going astray', async () => {
  await using test = testEventBus();
  let attempts = 0;
  await test.bus.subscribe('orders', () => {
    attempts++;
    throw new TypeError('never');
  });
  test.store.loseAnswers({ of: 'commit', times: 3 });
  for (let at = 0; at < 5; at++) await test.bus.publish('orders', 'order.placed', { at });
  await test.settled();
  expect(await test.bus.eventManager.listDeadLetters()).toHaveLength(5);
  expect(attempts).toBe(20);
});

it('stands in front of any adapter', async () => {
  const adapter = faulty(memory());
  await using events = new EventManager({ adapter });
  const event = { type: 'order.placed', source: 'shop' };
  await events.publish(event);
  adapter.faults.fail({ times: 1 });
  await expect(events.publish(event)).rejects.toMatchObject({ code: 'store_unavailable' });
  await events.publish(event);
  expect(await events.getEvents()).toHaveLength(2);
});

it('refuses a fault that can never come', async () => {
  await using test = testEventBus();
  expect(() => test.store.fail({ times: 0 })).toThrow('from 1 on');
});

it('keeps calls in their order when one need not wait any more', async () => {
  await using test = testEventBus();
  const collector = await test.collect();
  test.store.delay(1_000, { of: 'append' });
  const first = test.bus.publish('a', 'a', { n: 1 });
  // Each of them is a call of its own.
  await test.advance(0);
  test.store.restore();
  const second = test.bus.publish('a', 'a', { n: 2 });
  await test.run(Promise.all([first, second]));
  await test.settled();
  expect(test.published().map(({ payload }) => payload['n'])).toEqual([1, 2]);
  expect(collector.events.map(({ data }) => data.n)).toEqual([1, 2]);
});
