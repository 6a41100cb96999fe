import {
  defineEvents,
  type Event,
  EventManager,
  type EventOf,
  type EventsPage,
  isStandardSchema,
  type JsonObject,
  type PayloadOf,
  type StandardSchema,
} from '@event-manager/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import Type from 'typebox';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

interface Order {
  readonly id: string;
  readonly total: number;
}

type ShopEvents = {
  'order.created': Order;
  'order.paid': { order: string; at: string };
  'user.created': { name: string };
};

const shop = () => new EventManager<ShopEvents>();

describe('a map of events', () => {
  it('types what is folded', async () => {
    await using bus = shop();
    await bus.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: 2 } });
    const totals = await bus.project({
      name: 'totals',
      topic: 'order.created',
      key: ({ payload }) => payload.id,
      initial: 0,
      // @ts-expect-error: an order has no name.
      apply: (total, { payload }) => total + payload.total + (payload.name ?? 0),
    });
    await totals.caughtUp();
    expectTypeOf(await totals.get('a')).toEqualTypeOf<number | undefined>();
    expect(await totals.get('a')).toBe(2);
    const total = await bus.foldEvents({
      topic: 'order.created',
      initial: 0,
      apply: (sum: number, { payload }) => sum + payload.total,
    });
    expect(total).toBe(2);
  });

  it('types what is published', async () => {
    await using bus = shop();
    await bus.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: 1 } });
    // @ts-expect-error: the payload is that of another type.
    await bus.publish({ type: 'order.created', source: 'shop', payload: { name: 'Ann' } });
    // @ts-expect-error: a payload is needed.
    await bus.publish({ type: 'user.created', source: 'shop' });
    // @ts-expect-error: nobody knows this type.
    await bus.publish({ type: 'order.lost', source: 'shop', payload: {} });
    await bus.publishBatch([
      { type: 'user.created', source: 'shop', payload: { name: 'Ann' } },
      { type: 'order.paid', source: 'shop', payload: { order: 'a', at: 'now' }, topic: 'orders', priority: 'HIGH' },
    ]);
    expect(await bus.getEvents()).toHaveLength(6);
  });

  it('types what a handler of one topic gets, in either spelling', async () => {
    await using bus = shop();
    const totals: number[] = [];
    const handler = (event: { payload: Order }) => void totals.push(event.payload.total);
    await bus.subscribe({
      topic: 'order.created',
      handler(event) {
        expectTypeOf(event.type).toEqualTypeOf<'order.created'>();
        expectTypeOf(event.payload).toEqualTypeOf<Order>();
        expectTypeOf(event.timestamp).toEqualTypeOf<Date>();
        totals.push(event.payload.total);
      },
    });
    await bus.subscribe({ topic: 'order/created', handler });
    // @ts-expect-error: what this topic holds has no total.
    await bus.subscribe({ topic: 'user.created', handler: (event) => void totals.push(event.payload.total) });
    await bus.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: 7 } });
    expect(totals).toEqual([7, 7]);
  });

  it('types what a pattern matches, and tells them apart by their type', async () => {
    await using bus = shop();
    await bus.subscribe({
      topic: 'order.*',
      handler(event) {
        expectTypeOf(event.type).toEqualTypeOf<'order.created' | 'order.paid'>();
        if (event.type === 'order.paid') expectTypeOf(event.payload).toEqualTypeOf<ShopEvents['order.paid']>();
      },
    });
    await bus.subscribe({
      topic: '+/created',
      batchHandler(events) {
        expectTypeOf(events[0]!.type).toEqualTypeOf<'order.created' | 'user.created'>();
      },
    });
    for (const topic of ['#', '*'] as const) {
      await bus.subscribe({
        topic,
        handler: (event) => void expectTypeOf(event.type).toEqualTypeOf<keyof ShopEvents>(),
      });
    }
    const topic: string = 'order.created';
    await bus.subscribe({ topic, handler: (event) => void expectTypeOf(event.type).toEqualTypeOf<keyof ShopEvents>() });
    // Publishers may use topics of their own, of which the map says nothing.
    await bus.subscribe({
      topic: 'eu.orders',
      handler: (event) => void expectTypeOf(event.type).toEqualTypeOf<keyof ShopEvents>(),
    });
    expect(await bus.listSubscriptions()).toHaveLength(6);
  });

  it('types what is read', async () => {
    await using bus = shop();
    const { id } = await bus.publish({ type: 'user.created', source: 'shop', payload: { name: 'Ann' } });
    const event = await bus.getEvent(id);
    expectTypeOf(event).toEqualTypeOf<EventOf<ShopEvents>>();
    if (event.type === 'user.created') expectTypeOf(event.payload.name).toEqualTypeOf<string>();
    expectTypeOf(await bus.getEvents()).toEqualTypeOf<EventsPage<EventOf<ShopEvents>>>();
    expect(event.payload).toEqual({ name: 'Ann' });
  });
});

describe('an event manager with a map', () => {
  it('is none for everything: what takes any has a type parameter', async () => {
    const countOf = async <Events>(bus: EventManager<Events>) => (await bus.getEvents()).length;
    await using bus = shop();
    expect(await countOf(bus)).toBe(0);
    // @ts-expect-error: whoever held it as that could publish what its handlers do not expect.
    const anything: EventManager = bus;
    expect(anything).toBe(bus);
  });
});

describe('without a map', () => {
  it('every payload is a JSON object, and whatever a publisher hands in is taken', async () => {
    await using bus = new EventManager();
    expectTypeOf(bus).toEqualTypeOf<EventManager>();
    await bus.subscribe({
      topic: '#',
      handler(event) {
        expectTypeOf(event).toEqualTypeOf<Event>();
        expectTypeOf(event.payload).toEqualTypeOf<JsonObject>();
      },
    });
    const payload: unknown = { n: 1 };
    const { id } = await bus.publish({ type: 'whatever', source: 'test', payload });
    expectTypeOf(await bus.getEvent(id)).toEqualTypeOf<Event>();
    const page = await bus.getEvents();
    expectTypeOf(page).toEqualTypeOf<EventsPage>();
    expectTypeOf(page[0]!).toEqualTypeOf<Event>();
    expect(page.map(({ type }) => type)).toEqual(['whatever']);
  });

  it('a page is a list that says how to go on', async () => {
    await using bus = new EventManager();
    await bus.publishBatch([1, 2, 3].map((n) => ({ type: 'a', source: 'test', payload: { n } })));
    const page = await bus.getEvents({}, { limit: 2 });
    expect(Array.isArray(page)).toBe(true);
    expect(page.nextCursor).toEqual(expect.any(String));
    expect(JSON.parse(JSON.stringify(page))).toHaveLength(2);
    expect(() => (page as unknown as unknown[]).push(1)).toThrow(TypeError);
  });
});

describe('schemas of libraries', () => {
  const events = defineEvents({
    'order.created': z.object({ id: z.string(), total: z.number().positive() }),
    'user.created': z.object({ name: z.string(), age: z.number().default(0) }),
  });

  it('are those of Standard Schema, as it is published', () => {
    expectTypeOf<StandardSchemaV1<{ a: string }, number>>().toExtend<StandardSchema<{ a: string }, number>>();
    expectTypeOf<StandardSchema<{ a: string }, number>>().toExtend<StandardSchemaV1<{ a: string }, number>>();
    expectTypeOf<PayloadOf<StandardSchemaV1<{ a: string }, number>>>().toEqualTypeOf<{ a: string }>();
    expect(isStandardSchema(z.object({}))).toBe(true);
    for (const value of [null, undefined, 'a', {}, { '~standard': 1 }, { type: 'object' }]) {
      expect(isStandardSchema(value)).toBe(false);
    }
  });

  it('give the types of an event manager, and hold for what is published', async () => {
    await using bus = new EventManager({ events });
    await bus.subscribe({
      topic: 'order.created',
      handler: (event) => void expectTypeOf(event.payload).toEqualTypeOf<{ id: string; total: number }>(),
    });
    await bus.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: 1 } });
    const refused = bus.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: -1 } });
    await expect(refused).rejects.toMatchObject({ code: 'schema_violation', details: { pointer: '/payload/total' } });
    // @ts-expect-error: what the compiler sees is also seen when it runs.
    const wrong = bus.publish({ type: 'order.created', source: 'shop', payload: { id: 1 } });
    await expect(wrong).rejects.toMatchObject({ details: { pointer: '/payload/id' } });
  });

  it('leave what is published as it is: a default is for whoever reads with the schema', async () => {
    await using bus = new EventManager({ events });
    const { id } = await bus.publish({ type: 'user.created', source: 'shop', payload: { name: 'Ann' } });
    const event = await bus.getEvent(id);
    expect(event.payload).toEqual({ name: 'Ann' });
    if (event.type === 'user.created') expectTypeOf(event.payload.age).toEqualTypeOf<number | undefined>();
  });

  it('count as declared where the bus is strict', async () => {
    await using bus = new EventManager({ events, topicsStrict: true });
    await bus.publish({ type: 'user.created', source: 'shop', payload: { name: 'Ann' } });
    const other = bus.publish({ type: 'user.created', topic: 'people', source: 'shop', payload: { name: 'Ann' } });
    await expect(other).rejects.toMatchObject({ code: 'topic_not_declared' });
  });

  it('are attached to a topic by createTopic, sync or async', async () => {
    await using bus = new EventManager();
    await bus.createTopic('a', z.object({ n: z.number().refine(async (n) => n % 2 === 0, 'must be even') }));
    await bus.publish({ type: 'a', source: 'test', payload: { n: 2 } });
    const refused = bus.publish({ type: 'a', source: 'test', payload: { n: 3 } });
    await expect(refused).rejects.toMatchObject({ details: { pointer: '/payload/n' } });
    await expect(refused).rejects.toThrow('must be even');
  });

  it('are taken beside JSON Schemas of every make', async () => {
    await using bus = new EventManager();
    interface Written {
      type: string;
      required?: string[];
    }
    const written: Written = { type: 'object' };
    const made = [
      z.toJSONSchema(z.object({})),
      Type.Object({ a: Type.String() }),
      written,
      { type: 'object' } as const,
    ];
    for (const schema of made) {
      await expect(bus.createTopic('a', schema)).rejects.toMatchObject({ code: 'not_supported' });
    }
    for (const schema of ['a', 1, null, []]) {
      await expect(bus.createTopic('a', schema as object)).rejects.toMatchObject({ code: 'invalid_schema' });
    }
  });

  it('must be schemas', () => {
    expect(() => defineEvents({ a: {} as StandardSchema })).toThrow(TypeError);
  });
});
