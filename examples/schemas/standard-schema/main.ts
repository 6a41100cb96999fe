// #region define
import { defineEvents, EventManager, isEventManagerError } from '@event-manager/core';
import { z } from 'zod';

const shopEvents = defineEvents({
  'order.created': z.object({ id: z.string(), total: z.number().nonnegative() }),
  'order.paid': z.object({ id: z.string(), at: z.iso.datetime() }),
});

await using events = new EventManager({ events: shopEvents }); // typed, and every payload is checked
// #endregion

// #region use
await events.subscribe({
  topic: 'order.created',
  handler: (event) => console.log(event.payload.total),
});
await events.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: 12.5 } });
try {
  await events.publish({ type: 'order.created', source: 'shop', payload: { id: 'a', total: -1 } });
} catch (error) {
  if (!isEventManagerError(error, 'schema_violation')) throw error;
  console.log(error.details.pointer);
}
// #endregion
