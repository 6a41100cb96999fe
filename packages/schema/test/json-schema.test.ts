import { defineEvents, EventBus } from '@event-manager/core';
import { jsonSchema } from '@event-manager/schema';
import { expect, expectTypeOf, it } from 'vitest';

const events = defineEvents({
  'order.created': jsonSchema({
    type: 'object',
    required: ['id', 'total'],
    additionalProperties: false,
    properties: { id: { type: 'string' }, total: { type: 'number', minimum: 0 }, 'a/b': { type: 'string' } },
  }),
  'order.paid': jsonSchema({ type: 'object', required: ['by'], properties: { by: { enum: ['card', 'bill'] } } }),
});

it('gives the types', async () => {
  await using bus = new EventBus({ events });
  await bus.subscribe('order.created', ({ payload }) => {
    expectTypeOf(payload).toEqualTypeOf<{ id: string; total: number; 'a/b'?: string }>();
  });
  await bus.subscribe('order.*', (event) => {
    if (event.type === 'order.paid') expectTypeOf(event.payload.by).toEqualTypeOf<'card' | 'bill'>();
  });
  await bus.publish('orders', 'order.created', { id: 'a', total: 1 });
  // @ts-expect-error: what the compiler sees is also seen when it runs.
  const wrong = bus.publish('orders', 'order.created', { id: 1, total: 1 });
  await expect(wrong).rejects.toMatchObject({ code: 'schema_violation', details: { pointer: '/payload/id' } });
});

it('checks what no type can say, on whatever topic the event is', async () => {
  await using bus = new EventBus({ events });
  for (const topic of ['orders', 'order/created']) {
    const refused = bus.publish(topic, 'order.created', { id: 'a', total: -1 });
    await expect(refused).rejects.toMatchObject({ code: 'schema_violation', details: { pointer: '/payload/total' } });
  }
  const strange = bus.publish({ type: 'order.created', data: { id: 'a', total: 1, 'a/b': 1 as unknown as string } });
  await expect(strange).rejects.toMatchObject({ details: { pointer: '/payload/a~1b' } });
  expect(bus.getMetrics()).toMatchObject({ eventsPublished: 0, publishErrors: 3 });
});

it('refuses what is no schema, when it is made', () => {
  expect(() => jsonSchema({ type: 'objekt' as 'object' })).toThrow(expect.objectContaining({ code: 'invalid_schema' }));
});
