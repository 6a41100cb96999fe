import type { Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Ends a subscription; its dead letters stay. Throws `subscription_not_found`. */
export function deleteSubscription(context: OperationContext, principal: Principal, id: string): Promise<void> {
  return context.engine.subscriptions.unsubscribe(principal, id);
}
