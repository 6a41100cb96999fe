// #region open
import { createEventBus, EventBus } from '@event-manager/core';
import { RedisAdapter } from '@event-manager/redis';

await using orders = await createEventBus('order-service');
await using billing = await createEventBus('billing-service');
// #endregion

// #region subscribe
const got = { all: 0, shared: 0 };
for (const bus of [orders, billing]) {
  await bus.subscribe('orders.*', () => void got.all++);
  await bus.subscribe('orders.*', () => void got.shared++, { consumerGroup: 'order-processors' });
}
for (let n = 1; n <= 10; n++) await orders.publish('orders.made', 'order.made', { n });
await Promise.all([orders.settled(), billing.settled()]);
while (got.all < 20 || got.shared < 10) await new Promise((resolve) => setTimeout(resolve, 5));
console.log(`10 events: ${got.all} to the two subscribers, ${got.shared} to the group`);
// #endregion

// #region adapter
const adapter = new RedisAdapter({
  host: process.env['REDIS_HOST'],
  port: Number(process.env['REDIS_PORT']),
  password: process.env['REDIS_PASSWORD'],
  durability: 'synced',
  ttlMs: 7 * 24 * 60 * 60 * 1_000,
});
await using archive = new EventBus(adapter, 'archive');
const flow = await archive.eventManager.getEvents({ types: ['order.*'] }, { limit: 100 });
console.log(`${flow.length} of them are kept, ${adapter.supports.durability}`);
// #endregion

// #region letters
await archive.subscribe(
  'payments.processing',
  () => {
    throw new Error('the card was refused');
  },
  { maxRetries: 0, useDLQ: true, dlqTopic: 'payments.failed' },
);
const { promise, resolve } = Promise.withResolvers<string | undefined>();
await billing.subscribe('payments.failed', ({ metadata }) => resolve(metadata.failureReason));
await orders.publish('payments.processing', 'payment.asked', { order: 7 });
console.log(`given up: ${await promise}`);
// #endregion
