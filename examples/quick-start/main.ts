import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';

await using events = new EventManager({ adapter: journal({ directory: './data' }) });

await events.subscribe({
  name: 'mailer', // named: what it is owed survives restarts
  topic: 'order.*',
  handler: async (event, { attempt }) => {
    console.log(`${event.type} ${event.payload['total']} (attempt ${attempt})`);
    if (attempt === 1) throw new Error('the mail server is busy');
  },
  options: { retryPolicy: { maxRetries: 3, initialDelay: 50 } },
});

const { id, duplicate } = await events.publish({ type: 'order.created', source: 'shop', payload: { total: 12.5 } });
console.log(`stored ${id.length === 36}, duplicate ${duplicate}`);

await events.settled(); // every event acknowledged so far is delivered or a dead letter
