// What order means: which events wait for which, and what becomes of those behind one that fails.
// #region bus
import { setTimeout as wait } from 'node:timers/promises';
import { EventManager } from '@event-manager/core';

await using events = new EventManager();
// #endregion

// #region block
let isDown = true;
const billing = await events.subscribe({
  name: 'billing',
  topic: 'order.*',
  handler({ type, payload }) {
    if (isDown && payload['customer'] === 'anna' && type === 'order.created')
      throw new Error('anna has no account yet');
    console.log(`${payload['customer']}: ${type}`);
  },
  options: {
    order: 'key',
    orderingKey: 'payload.customer',
    maxConcurrency: 10,
    retryPolicy: { maxRetries: 100, backoffStrategy: 'fixed', initialDelay: 20, maxDelay: 20 },
  },
});
const publish = (type: string, customer: string) => events.publish({ type, source: 'shop', payload: { customer } });
await publish('order.created', 'anna');
await publish('order.paid', 'anna');
await publish('order.created', 'ben');
await publish('order.paid', 'ben');
await wait(50);
console.log(await events.listKeys(billing.id));
isDown = false;
await events.settled();
// #endregion

// #region park
await billing.unsubscribe();
const stock = await events.subscribe({
  name: 'stock',
  topic: 'order.*',
  handler({ type, payload }) {
    if (type === 'order.created' && payload['customer'] === 'anna') return { success: false, retry: false };
    console.log(`${payload['customer']}: ${type}`);
    return { success: true };
  },
  options: { order: 'key', orderingKey: 'payload.customer', onFailure: 'park' },
});
await publish('order.created', 'anna');
await publish('order.paid', 'anna');
await publish('order.created', 'ben');
await events.settled();
const [parked] = await events.listKeys(stock.id);
console.log(`${parked?.key} is ${parked?.state}, ${parked?.waiting} waits`);
await events.releaseKey(stock.id, 'anna');
await events.settled();
// #endregion
