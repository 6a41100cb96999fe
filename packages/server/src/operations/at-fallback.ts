import { EventManagerError, isEventManagerError } from '@event-manager/core';

/** Runs `check`, whose errors point into an address, for the address of a fallback. */
export function atFallback(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    const { pointer = '' } = error.details;
    // An address that is a text has no parts to point at.
    const place = pointer === '/endpoint' ? '' : pointer;
    const details = { ...error.details, pointer: `/fallbackWebhook${place}` };
    throw new EventManagerError(error.code, error.message, details, error);
  }
}
