import { isEventManagerError, type Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Whether there is a subscription of this id. */
export function knowsSubscription({ engine }: OperationContext, principal: Principal, id: string): boolean {
  try {
    engine.subscriptions.get(principal, id);
    return true;
  } catch (error) {
    if (isEventManagerError(error, 'subscription_not_found')) return false;
    throw error;
  }
}
