import { describe, expect, it } from 'vitest';
import { FAST_RETRIES, type StartEventBus } from './event-bus-subject.ts';
import { until } from './until.ts';

/** How the bus is, from its beginning to its end. */
export function busStandingConformance(start: StartEventBus): void {
  describe('the bus itself', () => {
    numbers(start);
    theEnd(start);
  });
}

function numbers(start: StartEventBus): void {
  it('counts what went through it', async () => {
    const bus = (await start()).bus();
    await bus.initialize();
    const { adapter } = await bus.getStats();
    expect(adapter).toMatch(/^[a-z]+$/);
    const id = await bus.subscribe('orders', () => {});
    const refuse = () => ({ success: false, error: 'no' });
    await bus.subscribe('orders', refuse, { maxRetries: 1, retryPolicy: FAST_RETRIES });
    for (let number = 0; number < 3; number++) await bus.publish('orders', 'order.placed', { number });
    await bus.settled();
    expect(await bus.getStats()).toEqual({
      ...{ adapter, isHealthy: true, publishedEvents: 3, failedEvents: 6, filteredEvents: 0 },
      ...{ activeSubscriptions: 2, deadLetters: 3 },
    });
    expect(bus.getMetrics()).toMatchObject({ eventsPublished: 3, eventsProcessed: 3, handlerErrors: 6 });
    await bus.unsubscribe(id);
    expect(await bus.getStats()).toMatchObject({ activeSubscriptions: 1 });
  });
}

function theEnd(start: StartEventBus): void {
  it('is healthy until it is closed, which may be said twice, and refuses everything from then on', async () => {
    const bus = (await start()).bus();
    expect(await bus.isHealthy()).toBe(true);
    await bus.close();
    await bus.close();
    expect(await bus.isHealthy()).toBe(false);
    const closed = { code: 'closed' };
    await expect(bus.publish('orders', 'order.placed', {})).rejects.toMatchObject(closed);
    await expect(bus.subscribe('orders', () => {})).rejects.toMatchObject(closed);
  });

  it('finishes what handlers have when it is closed, and owes the rest to those who come back', async () => {
    const place = await start();
    const bus = place.bus();
    const held = Promise.withResolvers<void>();
    const seen: number[] = [];
    let isUnderWay = false;
    const group = { consumerGroup: 'shipping', maxConcurrency: 1 };
    const slow = async ({ payload }: { payload: { number: number } }) => {
      isUnderWay = true;
      await held.promise;
      seen.push(payload.number);
    };
    await bus.subscribe('orders', slow, group);
    const numbers = Array.from({ length: 50 }, (_, number) => number);
    // In memory publishing waits for the first attempt, too: some of these end with the bus.
    const published = numbers.map((number) => bus.publish('orders', 'order.placed', { number }));
    await until('they are stored', async () => (await bus.eventManager.getEvents()).length === numbers.length);
    await until('the first one is under way', () => isUnderWay);
    const closing = bus.close();
    held.resolve();
    await closing;
    await Promise.all(published);
    const again = place.bus();
    await again.subscribe('orders', ({ payload }) => void seen.push(payload.number), group);
    await until('all are handled', () => seen.length >= numbers.length);
    await again.settled();
    expect(seen).toEqual(numbers);
  });
}
