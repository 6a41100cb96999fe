// #region publish
import { EventManagerClient } from '@event-manager/client';

await using events = new EventManagerClient(process.env['EVENT_MANAGER_URL'] ?? 'http://localhost:3004');

const { id, duplicate } = await events.publish({ type: 'order.created', source: 'shop', payload: { total: 12.5 } });
const stored = await events.getEvent(id);
console.log(`stored ${stored.type}, duplicate ${duplicate}`);
// #endregion
