// #region bus
import { EventManager } from '@event-manager/core';

await using events = new EventManager({ systemEvents: true });
// #endregion

// #region policy
const sent = await events.subscribe({
  name: 'mailer',
  topic: 'mail.*',
  handler(event, { attempt }) {
    console.log(`${event.type}: attempt ${attempt}`);
    if (attempt < 3) throw new Error('the mail server is busy');
  },
  options: { retryPolicy: { maxRetries: 5, backoffStrategy: 'exponential', initialDelay: 20, maxDelay: 1_000 } },
});
await events.publish({ type: 'mail.ordered', source: 'shop' });
await events.settled();
// #endregion

// #region explicit
await events.publish({ type: 'mail.reminder', source: 'shop', metadata: { maxRetries: 0 } });
await events.settled();
const [letter] = await events.listDeadLetters(sent.id);
console.log(`dead after ${letter?.attempts} attempt: ${letter?.reason}`);
// #endregion

// #region breaker
let isDown = true;
const search = await events.subscribe({
  name: 'search-index',
  topic: 'page.*',
  async handler() {
    if (isDown) throw new Error('connection refused');
  },
  options: {
    retryPolicy: { maxRetries: 3, initialDelay: 10, maxDelay: 10 },
    breaker: { failures: 5, openMs: 2_000 },
  },
});
for (let n = 0; n < 100; n++) await events.publish({ type: 'page.changed', source: 'shop', payload: { n } });
const during = (await events.getSubscription(search.id)).status;
console.log(`${during.receiver?.breaker}: ${during.counts.failed} attempts failed, ${during.counts.deadLettered} dead`);

isDown = false;
await events.settled();
const after = (await events.getSubscription(search.id)).status;
console.log(`${after.receiver?.breaker}: ${after.counts.delivered} delivered, ${after.counts.deadLettered} dead`);
// #endregion

// #region told
await events.subscribe({
  topic: '$sys/subscription/*',
  options: { startFrom: 'earliest' },
  handler: ({ type, payload }) => console.log(`${type}: ${payload['name']}`),
});
await events.settled();
// #endregion

// #region letters
await events.subscribe({
  name: 'billing',
  topic: 'invoice.*',
  handler: () => ({ success: false, retry: false, error: 'no account' }),
  options: { deadLetterTopic: 'billing.failed' },
});
await events.subscribe({
  topic: 'billing.failed',
  handler: ({ type, metadata }) => console.log(`${type} failed: ${metadata['failureReason']}`),
});
await events.publish({ type: 'invoice.created', source: 'shop' });
await events.settled();
// #endregion
