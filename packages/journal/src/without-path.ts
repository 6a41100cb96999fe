import { EventManagerError } from '@event-manager/core';
import { errorCode } from './files/error-code.ts';

/**
 * What a caller is told when reading or removing failed. Errors of the operating system name the file with its whole path,
 * which is nobody's business outside; the original stays as the cause. Programming mistakes are left as they are.
 */
export function withoutPath(step: string, error: unknown): unknown {
  if (error instanceof EventManagerError) return error;
  const code = errorCode(error);
  if (code === undefined) {
    if (error instanceof TypeError || error instanceof RangeError) return error;
    return new EventManagerError('internal', `${step} failed.`, { step }, error);
  }
  return new EventManagerError('store_failed', `${step} failed (${code}).`, { step }, error);
}
