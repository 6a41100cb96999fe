import type { BusContext } from '@event-manager/core';
import { expect, it } from 'vitest';
import { virtualBus } from './virtual-bus.ts';

it('settles by the return of the handler, which may say otherwise before', async () => {
  const { bus, time } = virtualBus();
  const attempts: number[] = [];
  await time.run(
    bus.subscribe('orders', (_event, context) => {
      attempts.push(context.attempt);
      if (context.attempt === 1) expect(context.nack(new Error('not yet'))).toBe(true);
      // Too late: it was said before.
      if (context.attempt === 1) expect(context.ack()).toBe(false);
    }),
  );
  await time.run(bus.publish('orders', 'order.created', {}));
  await time.run(bus.settled());
  expect(attempts).toEqual([1, 2]);
  await time.run(bus.close());
});

it('settles by ack alone where autoAck is false, at any time before the time limit', async () => {
  const { bus, time } = virtualBus();
  const contexts: BusContext[] = [];
  const options = { autoAck: false, timeoutMs: 1_000, maxRetries: 1 };
  await time.run(bus.subscribe('orders', (_event, context) => void contexts.push(context), options));
  const published = bus.publish('orders', 'order.created', {});
  await time.advance(10);
  expect(contexts.map(({ attempt }) => attempt)).toEqual([1]);
  expect(contexts[0]!.ack()).toBe(true);
  expect(contexts[0]!.nack()).toBe(false);
  await time.run(published);
  await time.run(bus.settled());
  expect(contexts).toHaveLength(1);
  await time.run(bus.close());
});

it('lets whoever published wait for the handler, and not for its word', async () => {
  const { bus, time } = virtualBus();
  const contexts: BusContext[] = [];
  const seen: string[] = [];
  const byWord = (_event: unknown, context: BusContext) => void contexts.push(context);
  await time.run(bus.subscribe('orders', byWord, { autoAck: false, timeoutMs: 60_000 }));
  await time.run(bus.subscribe('orders', () => time.wait(500).then(() => seen.push('slow'))));
  const startMs = time.monotonicMs();
  await time.run(bus.publish('orders', 'order.created', {}));
  // The other handler is waited for as ever, also when the word comes meanwhile.
  expect([time.monotonicMs() - startMs, contexts.length, seen]).toEqual([500, 1, ['slow']]);
  expect(contexts[0]!.ack()).toBe(true);
  await time.run(bus.publish('orders', 'order.created', {}));
  contexts[1]!.ack();
  expect(seen).toEqual(['slow', 'slow']);
  await time.run(bus.settled());
  await time.run(bus.close());
});

it('counts silence as a failure, and an answer after that as too late', async () => {
  const { bus, time } = virtualBus();
  const contexts: BusContext[] = [];
  const options = { autoAck: false, timeoutMs: 1_000, maxRetries: 1 };
  const id = await time.run(bus.subscribe('orders', (_event, context) => void contexts.push(context), options));
  const published = bus.publish('orders', 'order.created', {});
  await time.advance(10_000);
  await time.run(published);
  expect(contexts).toHaveLength(2);
  expect(contexts[0]!.ack()).toBe(false);
  await time.run(bus.settled());
  const [letter] = await time.run(bus.eventManager.listDeadLetters(id));
  expect(letter).toMatchObject({ attempts: 2, errors: [{ code: 'timeout' }, { code: 'timeout' }] });
  await time.run(bus.close());
});

it('makes a dead letter at once of what is refused for good, and a retry of what throws', async () => {
  const { bus, time } = virtualBus({ defaultSubscriptionOptions: { autoAck: false } });
  const attempts: number[] = [];
  const id = await time.run(
    bus.subscribe('orders', async (_event, context) => {
      attempts.push(context.attempt);
      if (context.attempt === 1) throw new TypeError('odd');
      context.nack('never', { retry: false });
    }),
  );
  await time.run(bus.publish('orders', 'order.created', {}));
  await time.run(bus.settled());
  expect(attempts).toEqual([1, 2]);
  const [letter] = await time.run(bus.eventManager.listDeadLetters(id));
  expect(letter).toMatchObject({ reason: 'never', errors: [{ message: 'TypeError: odd' }, { message: 'never' }] });
  await time.run(bus.close());
});

it.each([
  [{ useDLQ: true }, ['dlq.orders']],
  [{ useDLQ: true, dlqTopic: 'orders.failed' }, ['orders.failed']],
  [{ dlqTopic: 'orders.failed' }, ['orders.failed']],
  [{ dlqTopic: 'orders.failed', useDLQ: false }, []],
  [{}, []],
])('tells of a dead letter with %j on %j', async (options, topics) => {
  const { bus, time } = virtualBus();
  const told: unknown[] = [];
  await time.run(bus.subscribe('#', (event) => event.topic !== 'orders' && told.push([event.topic, event.metadata])));
  const refuse = () => ({ success: false, retry: false, error: new Error('no stock') });
  const id = await time.run(bus.subscribe('orders', refuse, options));
  await time.run(bus.publish('orders', 'order.created', {}));
  await time.run(bus.settled());
  const reason = expect.objectContaining({ failureReason: 'Error: no stock', originalTopic: 'orders' });
  expect(told).toEqual(topics.map((topic) => [topic, reason]));
  // The record is kept in any case.
  expect(await time.run(bus.eventManager.listDeadLetters(id))).toHaveLength(1);
  await time.run(bus.close());
});

it('shares the events of a group among its members, each of which can leave', async () => {
  const { bus, time } = virtualBus();
  const seen: string[] = [];
  const join = (who: string) => bus.subscribe('orders', () => void seen.push(who), { consumerGroup: 'processors' });
  const [first, second] = [await time.run(join('first')), await time.run(join('second'))];
  expect(second).not.toBe(first);
  for (let at = 0; at < 10; at++) await time.run(bus.publish('orders', 'order.created', { at }));
  await time.run(bus.settled());
  expect(seen).toHaveLength(10);
  expect(new Set(seen)).toEqual(new Set(['first', 'second']));
  await time.run(bus.unsubscribe(first));
  seen.length = 0;
  for (let at = 0; at < 3; at++) await time.run(bus.publish('orders', 'order.created', { at }));
  await time.run(bus.settled());
  expect(seen).toEqual(['second', 'second', 'second']);
  await time.run(bus.close());
});

it('tells of a dead letter beside its topic, so that nobody takes it for one more event of that', async () => {
  const { bus, time } = virtualBus();
  const orders: string[] = [];
  const letters: string[] = [];
  await time.run(bus.subscribe('orders/*', ({ topic }) => void orders.push(topic)));
  await time.run(bus.subscribe('dlq.*', ({ topic }) => void letters.push(topic)));
  const refuse = () => ({ success: false, retry: false });
  for (const topic of ['orders.made', 'orders/paid']) {
    await time.run(bus.subscribe(topic, refuse, { useDLQ: true }));
    await time.run(bus.publish(topic, 'order', {}));
  }
  await time.run(bus.settled());
  expect(orders).toEqual(['orders.made', 'orders/paid']);
  expect(letters).toEqual(['dlq.orders.made', 'dlq/orders/paid']);
  await time.run(bus.close());
});

it('refuses useDLQ of a pattern that names no topic, unless only the bus says it', async () => {
  const { bus, time } = virtualBus({ defaultSubscriptionOptions: { useDLQ: true } });
  const subscribed = bus.subscribe('orders.*', () => {}, { useDLQ: true });
  await expect(time.run(subscribed)).rejects.toThrow(/orders\.\* is a pattern.*dlqTopic/);
  const optionsOf = async (options: object) => {
    const id = await time.run(bus.subscribe('orders.*', () => {}, options));
    return (await time.run(bus.eventManager.getSubscription(id))).options;
  };
  expect(await optionsOf({})).not.toHaveProperty('deadLetterTopic');
  expect(await optionsOf({ useDLQ: true, dlqTopic: 'failed' })).toMatchObject({ deadLetterTopic: 'failed' });
  await time.run(bus.close());
});

it.each([true, false])('believes what a handler said before it threw (autoAck: %s)', async (autoAck) => {
  const { bus, time } = virtualBus();
  const attempts: string[] = [];
  const id = await time.run(
    bus.subscribe(
      'orders',
      (event, { attempt, ack, nack }) => {
        attempts.push(`${event.type} ${attempt}`);
        if (event.type === 'acked') expect(ack()).toBe(true);
        else nack('never', { retry: false });
        if (event.data.later) return Promise.reject(new TypeError('afterwards'));
        throw new TypeError('afterwards');
      },
      { autoAck },
    ),
  );
  for (const later of [false, true]) {
    await time.run(bus.publish('orders', 'acked', { later }));
    await time.run(bus.publish('orders', 'refused', { later }));
  }
  await time.run(bus.settled());
  expect(attempts).toEqual(['acked 1', 'refused 1', 'acked 1', 'refused 1']);
  const letters = await time.run(bus.eventManager.listDeadLetters(id));
  expect(letters.map(({ reason }) => reason)).toEqual(['never', 'never']);
  await time.run(bus.close());
});
