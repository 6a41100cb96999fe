import { fieldTable } from '../json/read-fields.ts';

export const RETRY_SPELLINGS = {
  strategy: 'backoffStrategy',
  backoff: 'backoffStrategy',
  initialDelayMs: 'initialDelay',
  maxDelayMs: 'maxDelay',
} as const;

/** Every spelling of a retry policy's fields, in camelCase (snake_case is understood everywhere). */
export const RETRY_FIELDS = fieldTable(
  ['maxRetries', 'backoffStrategy', 'initialDelay', 'maxDelay', 'jitter'],
  RETRY_SPELLINGS,
);
