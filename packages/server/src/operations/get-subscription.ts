import type { Principal } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/** One subscription and how far it is. Throws `subscription_not_found`. */
export async function getSubscription(
  context: OperationContext,
  principal: Principal,
  id: string,
): Promise<SubscriptionDescription> {
  const { subscriptions } = context.engine;
  return describeSubscription(subscriptions.get(principal, id), await subscriptions.progress(principal, id));
}
