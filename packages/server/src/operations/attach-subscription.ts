import {
  type Attached,
  type JsonValue,
  type Principal,
  parseSubscription,
  subscriptionIdOf,
} from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import { knowsSubscription } from './knows-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * Creates a subscription that is served through a connection, or attaches the connection to the one of the same name and
 * definition. A fallback that could never be reached is refused before anything is stored; one that is known may go on being
 * blocked, so that whoever comes back can attach. Throws what `Subscriptions.subscribe` throws, `endpoint_blocked`.
 */
export async function attachSubscription(
  context: OperationContext,
  principal: Principal,
  input: JsonValue,
  attached: Attached,
): Promise<SubscriptionDescription> {
  const { engine, checkEndpoints } = context;
  const request = parseSubscription(input, engine.limits, 'socket');
  const id = subscriptionIdOf(request);
  if (id === undefined || !knowsSubscription(context, principal, id)) checkEndpoints(request.sink);
  const definition = await engine.subscriptions.subscribe(principal, input, attached);
  return describeSubscription(definition, engine.subscriptions.status(principal, definition.id));
}
