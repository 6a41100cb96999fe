import type { Principal } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/** Takes up a subscription that was paused, or stopped because its receiver said that it is gone. Throws `subscription_not_found`. */
export async function resumeSubscription(
  context: OperationContext,
  principal: Principal,
  id: string,
): Promise<SubscriptionDescription> {
  const { subscriptions } = context.engine;
  const definition = await subscriptions.resume(principal, id);
  return describeSubscription(definition, subscriptions.status(principal, id));
}
