// #region connect
import { EventManagerClient } from '@event-manager/client';

await using events = new EventManagerClient(process.env['EVENT_MANAGER_URL'] ?? 'http://localhost:3004');
// #endregion

// #region named
const shipped = Promise.withResolvers<void>();
const warehouse = await events.subscribe({
  name: 'warehouse',
  topic: 'order.*',
  filter: { sources: ['shop'] },
  async handler(event, { attempt }) {
    console.log(`warehouse: ${event.type}, attempt ${attempt}`);
    if (attempt === 1) throw new Error('the shelf is locked'); // it is tried again
    shipped.resolve();
  },
  options: { retryPolicy: { maxRetries: 3, initialDelay: 50 } },
});
await events.publish({ type: 'order.created', source: 'shop', payload: { id: 'AB-1' } });
await shipped.promise;
// #endregion

// #region refuse
const refused = Promise.withResolvers<void>();
const payments = await events.subscribe({
  topic: 'payment.*',
  handler({ payload }) {
    if (payload['currency'] === 'EUR') return { success: true };
    refused.resolve();
    return { success: false, retry: false, error: `no account in ${payload['currency']}` };
  },
});
await events.publish({ type: 'payment.received', source: 'bank', payload: { currency: 'XTS' } });
await refused.promise;
// #endregion
await dead(1);

// #region dead-letters
for (const letter of await events.listDeadLetters(payments.id)) {
  console.log(`dead after ${letter.attempts} attempt: ${letter.reason}`);
}
// #endregion

// #region batch
const counted = Promise.withResolvers<void>();
let clicks = 0;
await events.subscribe({
  topic: 'page.clicked',
  options: { batchSize: 50 },
  batchHandler(batch) {
    clicks += batch.length;
    if (clicks === 200) counted.resolve();
  },
});
await events.publishBatch(Array.from({ length: 200 }, () => ({ type: 'page.clicked', source: 'page' })));
await counted.promise;
console.log(`${clicks} clicks`);
// #endregion

// #region stream
for await (const frame of await events.stream({ topics: ['order.*', 'payment.*'], from: 'earliest' })) {
  if (frame.kind === 'gap') console.log(`something is not kept any more: ${frame.cause}`);
  else console.log(`stream: ${frame.event.type}`);
  if (frame.kind === 'event' && frame.event.type === 'payment.received') break;
}
// #endregion

// #region change
await events.updateSubscription(warehouse.id, { topic: 'order.created', options: { maxConcurrency: 4 } });
await events.pauseSubscription(warehouse.id);
await events.resumeSubscription(warehouse.id);
// #endregion

// #region leave
await events.detach(warehouse.id); // it stays, and what it is owed waits for the next handler
await events.unsubscribe(warehouse.id); // it ends, and its debt with it
// #endregion

async function dead(count: number): Promise<void> {
  while ((await events.listDeadLetters()).length < count) await new Promise((resolve) => setTimeout(resolve, 10));
}
