// #region declare
import { EventManager, isEventManagerError } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { ajvSchemas } from '@event-manager/schema';

await using events = new EventManager({ adapter: journal({ directory: './data' }), schemas: ajvSchemas() });

await events.createTopic('order.created', {
  type: 'object',
  required: ['id', 'total'],
  properties: {
    id: { type: 'string', pattern: '^[A-Z]{2}-[0-9]{4}$' },
    total: { type: 'number', minimum: 0 },
  },
});
// #endregion

// #region violation
await events.publish({ type: 'order.created', source: 'shop', payload: { id: 'AB-1234', total: 12.5 } });
try {
  await events.publish({ type: 'order.created', source: 'shop', payload: { id: 'AB-1235', total: '12.5' } });
} catch (error) {
  if (!isEventManagerError(error, 'schema_violation')) throw error;
  console.log(`${error.details.pointer}: ${error.message}`);
}
// #endregion

// #region evolve
const wider = await events.addTopicSchema('order.created', {
  type: 'object',
  required: ['id', 'total'],
  properties: { id: { type: 'string' }, total: { type: 'number' }, currency: { enum: ['EUR', 'USD'] } },
});
console.log(`version ${wider.versions.length}, ${wider.checked?.events} stored events fit`);

try {
  await events.addTopicSchema('order.created', { required: ['id', 'total', 'currency'] });
} catch (error) {
  if (!isEventManagerError(error, 'schema_incompatible')) throw error;
  console.log(`${error.code} at ${error.details['path']}`);
}
// #endregion
