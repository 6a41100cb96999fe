import { type EventManagerError, isEventManagerError } from './event-manager-error.ts';

/** True for what a store says that may be gone at the next try: all that is worth one, except a failure that nobody can explain. */
export function mayPass(error: unknown): error is EventManagerError {
  return isEventManagerError(error) && error.retryable && error.code !== 'store_failed';
}
