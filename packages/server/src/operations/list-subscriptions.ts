import type { Principal } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/** All subscriptions in the order of their creation. */
export function listSubscriptions(context: OperationContext, principal: Principal): readonly SubscriptionDescription[] {
  const { subscriptions } = context.engine;
  return subscriptions
    .list(principal)
    .map((definition) => describeSubscription(definition, subscriptions.status(principal, definition.id)));
}
