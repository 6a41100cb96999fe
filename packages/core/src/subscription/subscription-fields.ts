import { fieldTable } from '../json/read-fields.ts';
import { FAILURE_FIELD_NAMES, FAILURE_FIELD_SPELLINGS } from './options/failure-options.ts';
import { ORDER_FIELDS } from './options/order-options.ts';
import { PACE_FIELDS, PACE_SPELLINGS } from './options/pace-options.ts';
import { REALTIME_NAMES, REALTIME_SPELLINGS, WAY_NAMES } from './options/realtime-options.ts';

export const SUBSCRIPTION_SPELLINGS = {
  consumerGroup: 'name',
  subscriberId: 'subscriber',
  serviceName: 'subscriber',
  filters: 'filter',
} as const;

/** Every spelling of a subscription's fields, in camelCase (snake_case is understood everywhere). */
export const SUBSCRIPTION_FIELDS = fieldTable(
  [
    'topic',
    'name',
    'subscriber',
    'handler',
    'endpoint',
    'secret',
    'headers',
    'connectionType',
    'filter',
    'context',
    'options',
    ...WAY_NAMES,
  ],
  SUBSCRIPTION_SPELLINGS,
  ['batchHandler', 'format'],
);

export const OPTION_SPELLINGS = {
  minimumPriority: 'priority',
  timeout: 'timeoutMs',
  retry: 'retryPolicy',
  dlqTopic: 'deadLetterTopic',
  ...FAILURE_FIELD_SPELLINGS,
  ...PACE_SPELLINGS,
  ...REALTIME_SPELLINGS,
} as const;

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
    ...FAILURE_FIELD_NAMES,
    ...PACE_FIELDS,
    ...ORDER_FIELDS,
    ...REALTIME_NAMES,
    'deliveryLog',
  ],
  OPTION_SPELLINGS,
  ['consumerGroup', 'autoAck'],
);

/** Where a subscription begins, when it is not a word. */
export const START_FIELDS = fieldTable(['cursor', 'timeMs'], { time: 'timeMs' });

/** The fallback of a subscription, when it is not a text. */
export const FALLBACK_FIELDS = fieldTable(['endpoint', 'secret', 'headers']);
