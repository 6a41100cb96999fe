import { randomUUID } from 'node:crypto';
import { createEventBusAdapter, EventBus } from '@event-manager/core';
import { expect, it } from 'vitest';
import { BUS_SURROUNDINGS } from './bus-variables.ts';

/** Retries at once: how long they wait is not what is looked at here. */
const QUICKLY = { initialDelay: 1, maxDelay: 1, jitter: false };

it.each(Object.entries(BUS_SURROUNDINGS))('does the same on %s, by configuration alone', async (_name, surround) => {
  const surroundings = await surround();
  if ('missing' in surroundings) {
    expect(process.env['CI'], surroundings.missing).toBeUndefined();
    return;
  }
  await using _left = surroundings;
  await using bus = new EventBus(await createEventBusAdapter({}, surroundings.variables), 'shop');
  const outcome = await program(bus);
  expect(outcome).toEqual({
    isHealthy: true,
    attemptsOfEach: { paid: 1, shaky: 2, broken: 2, late: 1 },
    failed: [['broken', 'TypeError: never works', 'orders']],
    keptByHand: ['paid', 'shaky', 'broken'],
    flow: ['order.paid', 'order.shaky'],
    duplicate: true,
    published: 5,
    letters: 1,
    unsubscribed: true,
  });
});

async function program(bus: EventBus): Promise<unknown> {
  const attemptsOfEach: Record<string, number> = {};
  const failed: unknown[] = [];
  const keptByHand: string[] = [];
  await bus.publish('orders', 'order.missed', { name: 'before anybody subscribed' });
  const id = await bus.subscribe(
    'orders',
    ({ payload }, { attempt }) => {
      attemptsOfEach[payload.name] = attempt;
      if (payload.name === 'broken' || (payload.name === 'shaky' && attempt === 1)) throw new TypeError('never works');
    },
    { maxRetries: 1, retryPolicy: QUICKLY, dlqTopic: 'orders.failed', consumerGroup: 'processors' },
  );
  await bus.subscribe('orders.failed', ({ payload, metadata }) => {
    failed.push([payload.name, metadata.failureReason, metadata['originalTopic']]);
  });
  const byHand = await bus.subscribe(
    'orders',
    ({ payload }, context) => {
      keptByHand.push(payload.name);
      queueMicrotask(() => context.ack());
    },
    { autoAck: false, maxConcurrency: 1 },
  );
  const correlationId = randomUUID();
  const flow = { metadata: { correlationId } };
  const again = { ...flow, id: randomUUID(), timestamp: 1 };
  await bus.publish('orders', 'order.paid', { name: 'paid' }, again);
  const { duplicate } = (await bus.publish('orders', 'order.paid', { name: 'paid' }, again)) as { duplicate: boolean };
  await bus.publish('orders', 'order.shaky', { name: 'shaky' }, flow);
  await bus.publish('orders', 'order.broken', { name: 'broken' });
  await bus.settled();
  await bus.unsubscribe(byHand);
  await bus.publish('orders', 'order.late', { name: 'late' });
  await bus.settled();
  const found = await bus.queryEventsByCorrelationId(correlationId);
  const { publishedEvents, isHealthy } = await bus.getStats();
  const letters = await bus.eventManager.listDeadLetters(id);
  return {
    isHealthy,
    attemptsOfEach,
    failed,
    keptByHand,
    flow: found.map(({ type }) => type),
    duplicate,
    // What tells of a dead letter is one of the events, too.
    published: publishedEvents - failed.length,
    letters: letters.length,
    unsubscribed: !keptByHand.includes('late'),
  };
}
