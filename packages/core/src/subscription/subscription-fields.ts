import { fieldTable } from '../json/read-fields.ts';

/** Every spelling of a subscription's fields, in camelCase (snake_case is understood everywhere). */
export const SUBSCRIPTION_FIELDS = fieldTable(
  ['topic', 'name', 'subscriber', 'handler', 'endpoint', 'secret', 'headers', 'connectionType', 'filter', 'options'],
  { subscriberId: 'subscriber', serviceName: 'subscriber', filters: 'filter' },
  ['realtime', 'fallbackWebhook', 'consumerGroup', 'batchHandler', 'context', 'format'],
);

/** The same for `options`. */
export const OPTION_FIELDS = fieldTable(
  [
    'priority',
    'batchSize',
    'maxConcurrency',
    'timeoutMs',
    'inFlightMax',
    'retryPolicy',
    'deadLetterTopic',
    'startFrom',
  ],
  { minimumPriority: 'priority', timeout: 'timeoutMs', retry: 'retryPolicy', dlqTopic: 'deadLetterTopic' },
  [
    'realtime',
    'fallbackWebhook',
    'rateLimit',
    'rateLimitPerMinute',
    'consumerGroup',
    'order',
    'orderingKey',
    'smartBatching',
    'batchingEnabled',
    'flushInterval',
    'flushIntervalMs',
    'autoAck',
    'useDLQ',
    'useDlq',
    'bufferSize',
    'reconnectAttempts',
    'heartbeat',
    'heartbeatInterval',
    'compression',
    'deliveryLog',
  ],
);

/** Where a subscription begins, when it is not a word. */
export const START_FIELDS = fieldTable(['cursor', 'timeMs'], { time: 'timeMs' });
