import type { BusEventIn, MiddlewareEvent } from '@event-manager/core';
import { expect, it } from 'vitest';
import { keptBus } from './kept-bus.ts';

class OrderPlaced {
  readonly #order: string;
  readonly type = 'order.placed';

  constructor(order: string) {
    this.#order = order;
  }

  get payload() {
    return { order: this.#order };
  }

  get topic() {
    return 'orders';
  }

  /** No field of an event, whatever it is called. */
  source() {
    return 'shop';
  }
}

it.each([false, true])(
  'stores what an event of a class says by its getters (middleware: %s)',
  async (hasMiddleware) => {
    const bus = keptBus();
    if (hasMiddleware) bus.use((_, next) => next());
    await bus.publish(new OrderPlaced('7') as unknown as BusEventIn);
    const [stored] = await bus.eventManager.getEvents();
    expect(stored).toMatchObject({
      type: 'order.placed',
      topic: 'orders',
      payload: { order: '7' },
      source: 'event-bus',
    });
  },
);

it.each([false, true])('takes an event in the spellings of other languages (middleware: %s)', async (hasMiddleware) => {
  const bus = keptBus({ upcasters: [{ type: 'a', from: '1.0', to: '2.0', upcast: () => ({ old: true }) }] });
  const shown: MiddlewareEvent[] = [];
  if (hasMiddleware) bus.use((event, next) => next(void shown.push(event) as never));
  const id = '0197d3a0-0000-7000-8000-000000000001';
  const event = { event_id: id, event_type: 'a', correlation_id: 'flow', payload: { n: 1 }, delay_ms: undefined };
  expect(await bus.publish(event as unknown as BusEventIn)).toMatchObject({ id });
  expect(await bus.eventManager.getEvent(id)).toMatchObject({ type: 'a', correlationId: 'flow', version: '2.0' });
  expect(shown).toEqual(hasMiddleware ? [expect.objectContaining({ id, type: 'a' })] : []);
  const twice = { ...event, type: 'a' };
  await expect(bus.publish(twice as unknown as BusEventIn)).rejects.toMatchObject({ code: 'invalid_event' });
});

it('refuses one of two payloads instead of choosing', async () => {
  const bus = keptBus();
  const seen: unknown[] = [];
  await bus.subscribe('first', async ({ id: _, metadata: _m, ...event }) => {
    // A copy of what was received has both, and the one that is changed here would be the one that is lost.
    await bus.publish({ ...event, topic: 'second', data: { n: 2 } }).catch((error) => seen.push(error));
    await bus.publish({ ...event, topic: 'second', payload: undefined, data: { n: 2 } });
    await bus.publish({ ...event, topic: 'second' });
  });
  await bus.subscribe('second', ({ data }) => void seen.push(data));
  await bus.publish('first', 'counted', { n: 1 });
  await bus.settled();
  expect(seen).toEqual([
    expect.objectContaining({ code: 'invalid_event', details: { pointer: '/data' } }),
    { n: 2 },
    { n: 1 },
  ]);
});

it.each([
  ['null', { type: 'a', payload: null }],
  ['a list', { type: 'a', data: [1] }],
])('takes %s for no payload', async (_, event) => {
  const bus = keptBus();
  await expect(bus.publish(event as BusEventIn)).rejects.toMatchObject({
    code: 'invalid_event',
    details: { pointer: '/payload' },
  });
  expect(await bus.eventManager.getEvents()).toHaveLength(0);
});
