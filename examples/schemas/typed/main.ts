// #region types
import { EventManager } from '@event-manager/core';

type ShopEvents = {
  'order.created': { id: string; total: number };
  'order.paid': { id: string; at: string };
};

await using events = new EventManager<ShopEvents>();

await events.subscribe({
  topic: 'order.created',
  handler: (event) => console.log(event.payload.total.toFixed(2)), // the payload of order.created
});
await events.subscribe({
  topic: 'order.*',
  handler(event) {
    if (event.type === 'order.paid') console.log(`paid at ${event.payload.at}`); // told apart by their type
  },
});

await events.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: 12.5 } });
await events.publish({ type: 'order.paid', source: 'shop', payload: { id: 'a', at: 'noon' } });
// #endregion
