// #region either
import { EventManagerClient } from '@event-manager/client';
import { EventManager } from '@event-manager/core';

interface ShopEvents {
  'order.created': { total: number };
  'order.paid': { method: 'card' | 'cash' };
}

const url = process.env['EVENT_MANAGER_URL'];
await using events: EventManager<ShopEvents> =
  url === undefined ? new EventManager<ShopEvents>() : new EventManagerClient<ShopEvents>(url);

const paid = Promise.withResolvers<string>();
await events.subscribe({
  topic: 'order.paid',
  handler: ({ payload }) => paid.resolve(payload.method), // known to be 'card' or 'cash'
});
await events.publish({ type: 'order.paid', source: 'shop', payload: { method: 'card' } });
console.log(`paid by ${await paid.promise}`);
// #endregion
