import type { Principal } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/** Delivers nothing more until it is resumed; what it is owed waits. Throws `subscription_not_found`. */
export async function pauseSubscription(
  context: OperationContext,
  principal: Principal,
  id: string,
): Promise<SubscriptionDescription> {
  const { subscriptions } = context.engine;
  const definition = await subscriptions.pause(principal, id);
  return describeSubscription(definition, subscriptions.status(principal, id));
}
