import { EventManager } from '@event-manager/core';

await using events = new EventManager();

await events.subscribe({
  name: 'mailer',
  topic: 'order.*',
  handler: async () => {
    throw new Error('the mail server is down');
  },
  options: { retryPolicy: { maxRetries: 1, initialDelay: 20 }, deadLetterTopic: 'dead.mailer' },
});
await events.subscribe({ topic: 'dead.*', handler: (event) => console.log(JSON.stringify(event, null, 2)) });

await events.publish({
  id: '0198c0de-0000-7000-8000-000000000001',
  type: 'order.created',
  source: 'shop',
  timestamp: '2026-11-20T08:00:00Z',
  payload: { total: 12.5 },
});
await events.settled();
console.log(JSON.stringify(await events.listDeadLetters(), null, 2));
