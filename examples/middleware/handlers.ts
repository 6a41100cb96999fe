// #region handlers
import type { HandlerDefinitions } from '@event-manager/core';

const version = new URL(import.meta.url).searchParams.get('version');

export default {
  totals: {
    topic: 'orders',
    maxRetries: 5,
    handler: ({ data }) => console.log(`version ${version} handles ${data.total}`),
  },
} satisfies HandlerDefinitions;
// #endregion
