// #region receive
import { EventManagerClient } from '@event-manager/client';

const events = new EventManagerClient(process.env['EVENT_MANAGER_URL'] ?? 'http://localhost:3004');

await events.subscribe({
  name: 'billing', // what it is owed waits while this program does not run
  topic: 'order.*',
  async handler(event, { attempt }) {
    console.log(`${event.type}: ${event.payload['total']} (attempt ${attempt})`);
  },
});
console.log('waiting for orders');
// #endregion
