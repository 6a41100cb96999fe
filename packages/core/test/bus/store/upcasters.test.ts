import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeEvent,
  EventReplayService,
  InMemoryEventStore,
  SnapshotService,
  type Upcaster,
  Upcasters,
} from '@event-manager/core';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { goldenEvents } from './golden-events.ts';

const STEPS: readonly Upcaster[] = [
  {
    type: 'order.placed',
    from: '1.0',
    to: '2.0',
    upcast: ({ total, ...rest }) => ({ ...rest, total: { amount: total!, currency: 'EUR' } }),
  },
  {
    type: 'order.placed',
    from: '2.0',
    to: '3.0',
    upcast: ({ name, ...rest }, { metadata }) => ({ ...rest, customer: { name: name!, id: metadata.userId ?? null } }),
  },
];

const CURRENT = [
  { id: 7, total: { amount: 12.5, currency: 'EUR' }, customer: { name: 'Ann', id: 'u-1' } },
  { id: 8, total: { amount: 3, currency: 'USD' }, customer: { name: 'Bob', id: null } },
  { id: 9, total: { amount: 1, currency: 'EUR' }, customer: { name: 'Eve', id: 'u-3' } },
];

it('loads events of every earlier version as they are written today, and leaves them as they are stored', async () => {
  const store = new InMemoryEventStore();
  const golden = goldenEvents();
  await store.append(golden);
  const { events } = await new EventReplayService(store, { upcasters: STEPS }).replayEvents();
  const orders = events.filter(({ type }) => type === 'order.placed');
  expect(orders.map(({ payload }) => payload)).toEqual(CURRENT);
  expect(orders.map(({ version }) => version)).toEqual(['3.0', '3.0', '3.0']);
  expect(orders.map(({ data }) => data)).toEqual(CURRENT);
  expect(events.find(({ type }) => type === 'order.paid')).toMatchObject({ version: '1.0', payload: { id: 7 } });
  const { records } = await store.read({ limit: 10 });
  const text = readFileSync(join(import.meta.dirname, 'golden-events.jsonl'), 'utf8');
  expect(`${records.map(({ body }) => Buffer.from(body).toString()).join('\n')}\n`).toBe(text);
});

it('shows handlers, queries and snapshots the current version', async () => {
  const bus = keptBus({ upcasters: STEPS, eventStore: new InMemoryEventStore() });
  const received: unknown[] = [];
  await bus.subscribe('order.placed', ({ payload, version }) => void received.push([version, payload]));
  const old = {
    type: 'order.placed',
    version: '1.0',
    data: { id: 7, total: 12.5, name: 'Ann' },
    metadata: { userId: 'u-1' },
  };
  await bus.publish({ ...old, correlationId: 'flow' });
  expect(received).toEqual([['3.0', CURRENT[0]]]);
  expect((await bus.queryEventsByCorrelationId('flow')).map(({ data }) => data)).toEqual([CURRENT[0]]);
  const snapshots = new SnapshotService(bus.eventStore, { upcasters: STEPS });
  const { state } = await snapshots.load({
    name: 'sum',
    initial: { sum: 0 },
    apply: ({ sum }, { payload }) => ({ sum: sum + payload.total.amount }),
  });
  expect(state).toEqual({ sum: 12.5 });
});

it('takes what is published without a version for today’s, and leaves alone what is newer', async () => {
  const bus = keptBus({ upcasters: STEPS });
  const received: unknown[] = [];
  await bus.subscribe('#', ({ type, version, payload }) => void received.push([type, version, payload.total]));
  const total = { amount: 3, currency: 'EUR' };
  await bus.publish('orders', 'order.placed', { total });
  // A middleware can make another type of it.
  const leave = bus.use((event, next) => next({ ...event, type: 'order.placed' }));
  await bus.publish('orders', 'order.drafted', { total });
  leave();
  await bus.publish('orders', 'order.placed', { total }, { version: '3.0.1' });
  await bus.publish('orders', 'order.placed', { total }, { version: '10' });
  await bus.publish('orders', 'order.paid', { total });
  await bus.settled();
  const placed = (version: string) => ['order.placed', version, total];
  expect(received).toEqual([placed('3.0'), placed('3.0'), placed('3.0.1'), placed('10'), ['order.paid', '1.0', total]]);
  for (const version of ['2.5', 'draft', '3']) {
    const event = { ...(await bus.eventManager.getEvents())[0]!, version };
    expect(() => bus.upcast(event)).toThrow(expect.objectContaining({ code: 'upcast_failed' }));
  }
});

it('says of an event that it has no chain for', async () => {
  const store = new InMemoryEventStore();
  await store.append(goldenEvents());
  const steps = STEPS.map((step) => (step.from === '1.0' ? { ...step, from: '1.5' } : step));
  await expect(new EventReplayService(store, { upcasters: steps }).replayEvents()).rejects.toMatchObject({
    code: 'upcast_failed',
    details: { type: 'order.placed', version: '1.0', current: '3.0', eventId: goldenEvents()[0]!.id },
  });
});

it('makes a dead letter of an event that cannot be brought to its version, and delivers the others', async () => {
  const broken = STEPS.map((step) => ({
    ...step,
    upcast: () => {
      throw new RangeError('no such field');
    },
  }));
  const bus = keptBus({ upcasters: broken });
  const received: unknown[] = [];
  await bus.subscribe('#', ({ type }) => void received.push(type), { maxRetries: 0 });
  await bus.publish({ type: 'order.placed', version: '1.0', data: {} });
  await bus.publish({ type: 'order.paid', data: {} });
  await bus.settled();
  expect(received).toEqual(['order.paid']);
  const [letter] = await bus.eventManager.listDeadLetters();
  expect(JSON.stringify(letter)).toContain('its upcaster to 2.0 threw');
});

it.each([
  ['a gap', [STEPS[0]!, { ...STEPS[1]!, from: '2.5' }], 'have a gap: they end at 2.0 and 3.0'],
  ['two ways on', [STEPS[0]!, { ...STEPS[1]!, from: '1.0' }], 'Two upcasters of order.placed begin at the version 1.0'],
  ['a circle', [STEPS[0]!, { ...STEPS[1]!, to: '1.0' }], 'in a circle'],
  [
    'a circle beside the chain',
    [...STEPS, { ...STEPS[0]!, from: 'a', to: 'b' }, { ...STEPS[0]!, from: 'b', to: 'a' }],
    'in a circle at a',
  ],
])('refuses %s before the first event comes', (_, steps, words) => {
  expect(() => new Upcasters(steps)).toThrow(TypeError);
  expect(() => new Upcasters(steps)).toThrow(words);
});

it('knows the version that a type is brought to', () => {
  const upcasters = new Upcasters(STEPS);
  expect([upcasters.currentOf('order.placed'), upcasters.currentOf('order.paid')]).toEqual(['3.0', undefined]);
});

it.each([
  ['a promise', async () => ({ n: 1 })],
  ['a list', () => [1]],
])('takes %s for no payload', (_, upcast) => {
  const upcasters = new Upcasters([{ type: 'a', from: '1.0', to: '2.0', upcast: upcast as never }]);
  const event = { ...decodeEvent(goldenEvents()[0]!.body), type: 'a', version: '1.0' };
  expect(() => upcasters.upcast(event)).toThrow(expect.objectContaining({ code: 'upcast_failed' }));
});
