import { fieldTable } from '../json/read-fields.ts';

/** Every spelling of a retry policy's fields, in camelCase (snake_case is understood everywhere). */
export const RETRY_FIELDS = fieldTable(['maxRetries', 'backoffStrategy', 'initialDelay', 'maxDelay', 'jitter'], {
  strategy: 'backoffStrategy',
  backoff: 'backoffStrategy',
  initialDelayMs: 'initialDelay',
  maxDelayMs: 'maxDelay',
});
