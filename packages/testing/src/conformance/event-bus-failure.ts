import type { BusContext, BusEvent, EventBus } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { FAST_RETRIES, type StartEventBus } from './event-bus-subject.ts';
import { until } from './until.ts';

const FAST = { retryPolicy: FAST_RETRIES };

export function busFailureConformance(start: StartEventBus): void {
  describe('failing', () => {
    retries(start);
    deadLetters(start);
    acknowledgements(start);
  });
}

/** Publishes one event to a handler that always fails, and counts its attempts until it is given up. */
async function attemptsOf(bus: EventBus, maxRetries?: number): Promise<number> {
  let attempts = 0;
  const refuse = () => {
    attempts++;
    throw new TypeError('never');
  };
  const said = maxRetries === undefined ? {} : { maxRetries };
  await bus.subscribe('orders', refuse, { ...FAST, ...said });
  await bus.publish('orders', 'order.placed', {});
  await bus.settled();
  return attempts;
}

function retries(start: StartEventBus): void {
  it('tries again until the handler takes it, with the same event and a number that grows', async () => {
    const bus = (await start()).bus();
    const tries: [string, number][] = [];
    const flaky = async ({ id }: BusEvent, { attempt }: BusContext) => {
      tries.push([id, attempt]);
      if (attempt < 3) throw new TypeError('not yet');
    };
    await bus.subscribe('orders', flaky, FAST);
    const published = await bus.publish('orders', 'order.placed', {});
    await bus.settled();
    const { id } = published as { id: string };
    expect(tries).toEqual([
      [id, 1],
      [id, 2],
      [id, 3],
    ]);
    expect(await bus.eventManager.listDeadLetters()).toEqual([]);
  });

  it.each([
    [undefined, 4],
    [0, 1],
    [1, 2],
  ])('gives up after maxRetries (%s) with %i attempts', async (maxRetries, attempts) => {
    expect(await attemptsOf((await start()).bus(), maxRetries)).toBe(attempts);
  });

  it('has the retries that the bus says for all its subscriptions', async () => {
    const place = await start();
    expect(await attemptsOf(place.bus({ defaultSubscriptionOptions: { maxRetries: 1 } }))).toBe(2);
  });
}

function deadLetters(start: StartEventBus): void {
  const refuse = () => ({ success: false, retry: false, error: new TypeError('no stock') });

  it('tells of a dead letter on its topic, with the reason and the event that failed', async () => {
    const bus = (await start()).bus();
    const told: BusEvent[] = [];
    await bus.subscribe('orders.failed', (event) => void told.push(event));
    await bus.subscribe('orders.processing', refuse, { maxRetries: 3, useDLQ: true, dlqTopic: 'orders.failed' });
    const metadata = { correlationId: 'flow-1' };
    await bus.publish('orders.processing', 'order.placed', { number: 7 }, { metadata });
    await until('it is told', () => told.length === 1);
    expect(told).toMatchObject([
      {
        ...{ topic: 'orders.failed', type: 'order.placed', payload: { number: 7 }, correlationId: 'flow-1' },
        metadata: { failureReason: 'TypeError: no stock', correlationId: 'flow-1' },
      },
    ]);
  });

  it.each([
    [{ useDLQ: true }, 'dlq.orders'],
    [{ useDLQ: false, dlqTopic: 'orders.failed' }, undefined],
    [{}, undefined],
  ])('keeps the record of it with %j, and tells on %s', async (options, topic) => {
    const bus = (await start()).bus();
    const told: string[] = [];
    await bus.subscribe('#', (event) => void told.push(event.topic));
    const id = await bus.subscribe('orders', refuse, options);
    await bus.publish('orders', 'order.placed', {});
    const letters = () => bus.eventManager.listDeadLetters(id);
    await until('it is kept', async () => (await letters()).length === 1);
    await bus.settled();
    expect(told.sort()).toEqual(topic === undefined ? ['orders'] : [topic, 'orders']);
    expect(await letters()).toMatchObject([{ reason: 'TypeError: no stock', attempts: 1 }]);
  });
}

function acknowledgements(start: StartEventBus): void {
  it('is settled by its word alone with autoAck: false, long after the handler returned', async () => {
    const bus = (await start()).bus();
    const contexts: BusContext[] = [];
    await bus.subscribe('orders', (_event, context) => void contexts.push(context), { ...FAST, autoAck: false });
    // In memory publishing waits for the handler, and not for its word.
    await bus.publish('orders', 'order.placed', {});
    await until('it is called', () => contexts.length === 1);
    expect(contexts[0]!.nack(new TypeError('not yet'))).toBe(true);
    await until('it is called again', () => contexts.length === 2);
    expect(contexts[1]!.attempt).toBe(2);
    expect([contexts[1]!.ack(), contexts[1]!.ack(), contexts[0]!.ack()]).toEqual([true, false, false]);
    await bus.settled();
    expect(contexts).toHaveLength(2);
    expect(await bus.eventManager.listDeadLetters()).toEqual([]);
  });

  it('fails by its time limit where nothing is said', async () => {
    const bus = (await start()).bus();
    const contexts: BusContext[] = [];
    const options = { autoAck: false, timeoutMs: 50, maxRetries: 0 };
    const id = await bus.subscribe('orders', (_event, context) => void contexts.push(context), options);
    await bus.publish('orders', 'order.placed', {});
    await until('it is given up', async () => (await bus.eventManager.listDeadLetters(id)).length === 1);
    expect(contexts.map((context) => context.ack())).toEqual([false]);
  });
}
