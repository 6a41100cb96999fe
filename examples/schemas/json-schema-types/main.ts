// #region types
import { defineEvents, EventBus, isEventManagerError } from '@event-manager/core';
import { jsonSchema } from '@event-manager/schema';

const events = defineEvents({
  'order.created': jsonSchema({
    type: 'object',
    required: ['id', 'total'],
    properties: { id: { type: 'string' }, total: { type: 'number', minimum: 0 } },
  }),
});
await using bus = new EventBus({ events, name: 'shop' });

await bus.subscribe('orders', (event) => console.log(event.payload.total.toFixed(2))); // a number, says the schema
await bus.publish('orders', 'order.created', { id: 'a', total: 12.5 });
try {
  await bus.publish('orders', 'order.created', { id: 'a', total: -1 }); // what no type can say
} catch (error) {
  if (!isEventManagerError(error, 'schema_violation')) throw error;
  console.log(error.details.pointer, error.message);
}
// #endregion
