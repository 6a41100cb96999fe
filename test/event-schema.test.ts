import { type BusEvent, EventBus } from '@event-manager/core';
import schema from '@event-manager/core/event.schema.json' with { type: 'json' };
import { ajvSchemas } from '@event-manager/schema';
import { expect, it } from 'vitest';

const compiler = ajvSchemas();
const stored = compiler.compile(schema);
const seen = compiler.compile({ ...schema, $ref: '#/$defs/BusEvent' });

const EVERY_FIELD = {
  topic: 'shop/order',
  type: 'order.created',
  source: 'shop',
  version: '2.0',
  priority: 'HIGH' as const,
  payload: { total: 12.5, 'a\nkey': null },
  correlationId: 'cart-17',
  causationId: 'click-3',
  metadata: {
    userId: 'u',
    projectId: 'p',
    sessionId: 's',
    tags: ['eu'],
    maxRetries: 0,
    expiresAt: '2099-01-01T00:00:00Z',
    orderingKey: 'order-17',
    plan: { a: [1] },
  },
};

it('is the schema of every event that is stored, and of every event as handlers of a bus see it', async () => {
  await using bus = new EventBus();
  const events: BusEvent[] = [];
  await bus.subscribe('#', (event) => void events.push(event));
  const refuse = () => ({ success: false, retry: false, error: new Error('no stock') });
  await bus.subscribe('shop.order', refuse, { dlqTopic: 'shop.failed' });
  await bus.publish(EVERY_FIELD);
  await bus.publish('shop.order', 'order.created');
  await bus.settled();
  expect(events.map(({ topic, metadata }) => [topic, metadata.failureReason])).toEqual([
    ['shop/order', undefined],
    ['shop.order', undefined],
    ['shop.failed', 'Error: no stock'],
    ['shop.failed', 'Error: no stock'],
  ]);
  const log = await bus.eventManager.getEvents({ topic: '#' });
  expect(log).toHaveLength(4);
  for (const event of log) expect(stored.check(asJson(event))).toBeUndefined();
  for (const event of events) expect(seen.check(asJson(event))).toBeUndefined();
  // The two are not one: a stored event has neither `data` nor a second name of its id.
  expect(stored.check(asJson(events[0]))).toMatchObject({ pointer: '/data' });
  expect(seen.check(asJson(log[0]))).toMatchObject({ pointer: '/data' });
});

it.each([
  ['/id', { id: 'order-17' }],
  ['/priority', { priority: 'HIGH' }],
  ['/timestamp', { timestamp: 'yesterday' }],
  ['/payload', { payload: [] }],
  ['/metadata/tags', { metadata: { retryCount: 0, maxRetries: 3 } }],
  ['/subject', { subject: 'an order' }],
])('refuses what no event is, at %s', async (pointer, wrong) => {
  await using bus = new EventBus();
  await bus.publish(EVERY_FIELD);
  const [event] = await bus.eventManager.getEvents({ topic: '#' });
  expect(stored.check({ ...(asJson(event) as object), ...wrong })).toMatchObject({ pointer });
});

function asJson(value: unknown) {
  return JSON.parse(JSON.stringify(value));
}
