import type { Attached, JsonValue, Principal } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * Creates a subscription that is served through a connection, or attaches the connection to the one of the same name and
 * definition. Throws what `Subscriptions.subscribe` throws.
 */
export async function attachSubscription(
  { engine }: OperationContext,
  principal: Principal,
  input: JsonValue,
  attached: Attached,
): Promise<SubscriptionDescription> {
  const definition = await engine.subscriptions.subscribe(principal, input, attached);
  return describeSubscription(definition, engine.subscriptions.status(principal, definition.id));
}
