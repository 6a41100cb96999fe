// The bus inside one program, from the first event to the last: what the guide to the embedded bus shows.
// #region start
import { createEventBus } from '@event-manager/core';

await using bus = await createEventBus('shop');

await bus.subscribe('order.*', (event) => {
  console.log(`${event.type}: ${event.payload.total}`);
});
await bus.publish('order.created', 'order.created', { orderId: '1', total: 12.5 });
await bus.publish({ type: 'order.paid', data: { orderId: '1', total: 12.5 } }); // the same, as one object

// #endregion

// #region types
import { EventBus } from '@event-manager/core';

type ShopEvents = {
  'order.created': { orderId: string; total: number };
  'order.cancelled': { orderId: string; reason: string };
};

await using shop = new EventBus<ShopEvents>({ name: 'shop', retryPolicy: { initialDelay: 10 } });

await shop.subscribe('order.*', (event) => {
  if (event.type === 'order.cancelled') console.log(`cancelled: ${event.payload.reason}`);
});
await shop.publish('orders', 'order.created', { orderId: '2', total: 8 }); // another topic: nobody asked for it
await shop.publish({ type: 'order.cancelled', data: { orderId: '2', reason: 'out of stock' } });
// #endregion

// #region failures
await shop.subscribe(
  'orders',
  (event, { attempt }) => {
    console.log(`attempt ${attempt} of ${event.type}`);
    if (event.type === 'order.created') throw new Error('the printer is out of paper');
  },
  { maxRetries: 1, dlqTopic: 'orders.failed' },
);
await shop.subscribe('orders.failed', ({ type, metadata }) => {
  console.log(`given up: ${type}, ${metadata.failureReason}`);
});
await shop.publish('orders', 'order.created', { orderId: '3', total: 4 });
await shop.settled();

// #endregion

// #region heard
import type { HandlerFailure } from '@event-manager/core';

const onHandlerError = (error: unknown, { topic, attempt }: HandlerFailure) => {
  console.log(`attempt ${attempt} at ${topic}: ${error}`);
};
await using watched = new EventBus({ name: 'shop', systemEvents: true, onHandlerError });
await watched.subscribe('$sys.dead-letter.created', ({ payload }) => console.log(`dead letter: ${payload.reason}`));
await watched.subscribe(
  'orders',
  () => {
    throw new Error('the printer is on fire');
  },
  { maxRetries: 0 },
);
await watched.publish('orders', 'order.created', { orderId: '3', total: 4 });
await watched.settled();
// #endregion

// #region ack
const printed = Promise.withResolvers<void>();
await shop.subscribe(
  'labels',
  async (_event, context) => {
    // Somebody else says when it is done, which may be long after this handler has returned.
    setTimeout(() => {
      console.log(`acknowledged in time: ${context.ack()}`);
      printed.resolve();
    }, 10);
  },
  { autoAck: false, timeoutMs: 5_000 },
);
await shop.publish('labels', 'order.created', { orderId: '4', total: 1 });
await printed.promise;
// #endregion

// #region groups
const counts = { anna: 0, ben: 0 };
for (const worker of ['anna', 'ben'] as const) {
  await shop.subscribe('parcels', () => void counts[worker]++, { consumerGroup: 'packing' });
}
for (let parcel = 0; parcel < 10; parcel++) {
  await shop.publish('parcels', 'order.created', { orderId: `p${parcel}`, total: 1 });
}
await shop.settled();
console.log(`packed: ${counts.anna + counts.ben}, by both: ${counts.anna > 0 && counts.ben > 0}`);
// #endregion

// #region signals
{
  using _listening = shop.on('order.*', (payload, type) => console.log(`at once: ${type} ${payload.orderId}`));
  shop.emit('order.created', { orderId: '5', total: 3 });
}
shop.emit('order.created', { orderId: '6', total: 3 }); // nobody listens any more

const cancelled = shop.events('order.cancelled');
shop.emit('order.cancelled', { orderId: '7', reason: 'changed their mind' });
for await (const { payload } of cancelled) {
  console.log(`read later: ${payload.reason}`);
  break;
}
// #endregion

// #region look
console.log(await bus.getStats());
console.log(shop.getMetrics()?.eventsByType);

// #endregion

// #region health
import { serveBusHealth } from '@event-manager/core';

await using health = await serveBusHealth(bus, { port: 0 });
const answer = await fetch(health.url);
const { adapter: kept } = (await answer.json()) as { adapter: string };
console.log(answer.status, kept);

// #endregion

// #region history
import { InMemoryAdapter } from '@event-manager/core';

const adapter = new InMemoryAdapter();
await using tested = new EventBus(adapter);
await tested.publish('test.topic', 'test.event', { data: 'test' });
console.log(adapter.getHistory('test.topic').map(({ payload }) => payload));
adapter.clearHistory();
// #endregion
