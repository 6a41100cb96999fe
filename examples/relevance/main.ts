// #region subscribe
import { EventManager } from '@event-manager/core';

await using events = new EventManager();

await events.subscribe({
  topic: '#',
  subscriber: 'assistant',
  filter: {
    userRelevant: true,
    criticalAlways: true,
    minimumPriority: 'NORMAL',
    excludeTypes: ['system.heartbeat'],
    payload: { total: { numeric: ['>=', 100] } },
  },
  handler: ({ type, metadata }) => console.log(`${type} of ${metadata.userId ?? 'nobody'}`),
});
// #endregion

// #region register
const order = { type: 'order.created', source: 'shop', payload: { total: 250 } };
await events.publish({ ...order, metadata: { userId: 'ada' } });
await events.publish({ ...order, metadata: { userId: 'bob' } });
await events.registerContext('assistant', { userIds: ['ada'], projectIds: ['engine'] });
await events.publish({ ...order, metadata: { userId: 'bob' } }); // not ada's
await events.publish({ ...order, metadata: { userId: 'bob', projectId: 'engine' } });
await events.publish({ ...order, metadata: { userId: 'ada' }, payload: { total: 99 } }); // too little
await events.publish({ ...order, priority: 'CRITICAL', metadata: {} });
await events.settled();
// #endregion
