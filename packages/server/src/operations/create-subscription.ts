import { type JsonValue, type Principal, parseSubscription, subscriptionIdOf } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import { knowsSubscription } from './knows-subscription.ts';
import type { OperationContext } from './operation-context.ts';

export interface SubscriptionCreated {
  readonly subscription: SubscriptionDescription;
  /** False when a subscription with this name and definition was there already. */
  readonly created: boolean;
}

/**
 * Creates a subscription, or finds the one of the same name and definition. An endpoint that could never be reached is refused
 * before anything is stored. Throws what `Subscriptions.subscribe` throws, `endpoint_blocked`.
 */
export async function createSubscription(
  context: OperationContext,
  principal: Principal,
  input: JsonValue,
): Promise<SubscriptionCreated> {
  const { engine, checkEndpoints } = context;
  const request = parseSubscription(input, engine.limits);
  checkEndpoints(request.sink);
  const id = subscriptionIdOf(request);
  const existed = id !== undefined && knowsSubscription(context, principal, id);
  const definition = await engine.subscriptions.subscribe(principal, input);
  const subscription = describeSubscription(definition, engine.subscriptions.status(principal, definition.id));
  return { subscription, created: !existed };
}
