import type { EventManager } from '@event-manager/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { defineEvents, EventManagerClient } from '../src/index.ts';
import { clientOf } from './support/client-of.ts';
import { eventsOf, published, SocketStandIn } from './support/socket-stand-in.ts';

type ShopEvents = {
  'order.created': { total: number };
  'order.paid': { method: 'card' | 'cash' };
};

const shopEvents = defineEvents({
  'order.created': z.object({ total: z.number() }),
  'order.paid': z
    .object({ method: z.string() })
    .refine(async ({ method }) => method !== 'shells', 'nobody takes shells'),
});

const service = () => SocketStandIn.start((frame, peer) => peer.send(published(frame)));

/** Without types and schemas a mistake is found by whoever receives it. */
describe('a typed client', () => {
  it('is typed by a map, as the embedded one', async () => {
    const { url } = await service();
    await using events = new EventManagerClient<ShopEvents>(url);
    expectTypeOf(events).toExtend<EventManager<ShopEvents>>();
    await events.publish({ type: 'order.created', source: 'shop', payload: { total: 1 } });
    // @ts-expect-error: the payload is that of another type.
    await events.publish({ type: 'order.created', source: 'shop', payload: { method: 'card' } });
    // @ts-expect-error: nobody knows this type.
    await events.publish({ type: 'order.lost', source: 'shop', payload: {} });
    // @ts-expect-error: the same in a batch.
    await events.publishBatch([{ type: 'order.created', source: 'shop', payload: {} }]);
    const handled = () =>
      events.subscribe({
        topic: 'order.paid',
        handler: ({ payload }) => void expectTypeOf(payload.method).toEqualTypeOf<'card' | 'cash'>(),
      });
    expect(handled).toBeTypeOf('function');
  });

  it('is typed by schemas, and sends nothing that they refuse', async () => {
    const standIn = await service();
    await using events = new EventManagerClient(standIn.url, { events: shopEvents });
    await events.publish({ type: 'order.created', source: 'shop', payload: { total: 1 } });
    const wrong = { type: 'order.created', source: 'shop', payload: { total: 'much' } } as const;
    // @ts-expect-error: a total is a number.
    const refused = events.publish(wrong);
    const violation = { code: 'schema_violation', details: { pointer: '/payload/total', topic: 'order/created' } };
    await expect(refused).rejects.toMatchObject(violation);
    const late = events.publish({ type: 'order.paid', source: 'shop', payload: { method: 'shells' } });
    await expect(late).rejects.toMatchObject({ code: 'schema_violation', message: /nobody takes shells/ });
    const { results } = await events.publishBatch([
      { type: 'order.paid', source: 'shop', payload: { method: 'card' } },
      wrong as never,
    ]);
    expect(results[1]).toMatchObject({ code: 'schema_violation', details: { pointer: '/1/payload/total' } });
    expect(standIn.of('publish').flatMap((frame) => eventsOf(frame))).toHaveLength(2);
  });

  it('refuses definitions that name no topics', () => {
    const events = { schemas: { 'a..b': z.object({}) } } as never;
    expect(() => clientOf({ url: 'http://localhost' }, { events })).toThrow('empty-level');
  });
});
