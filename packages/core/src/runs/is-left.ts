import { isEventManagerError } from '../errors/event-manager-error.ts';

/** True where a part is done here no more: whoever has the lease by now goes on with it, or whoever opens next what was closed. */
export function isLeft(error: unknown): boolean {
  return isEventManagerError(error, 'lease_lost') || isEventManagerError(error, 'closed');
}
