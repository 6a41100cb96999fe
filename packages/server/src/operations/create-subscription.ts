import { type JsonValue, type Principal, parseSubscription } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

export interface SubscriptionCreated {
  readonly subscription: SubscriptionDescription;
  /** False when a subscription with this name and definition was there already. */
  readonly created: boolean;
}

/**
 * Creates a subscription, or finds the one of the same name and definition. A webhook that could never be called is refused
 * before anything is stored. Throws what `Subscriptions.subscribe` throws, `endpoint_blocked`.
 */
export async function createSubscription(
  context: OperationContext,
  principal: Principal,
  input: JsonValue,
): Promise<SubscriptionCreated> {
  const { engine, checkWebhook } = context;
  const request = parseSubscription(input, engine.limits);
  if (request.sink.kind === 'webhook') checkWebhook(request.sink);
  const known = new Set(engine.subscriptions.list(principal).map((definition) => definition.id));
  const definition = await engine.subscriptions.subscribe(principal, input);
  const subscription = describeSubscription(definition, engine.subscriptions.status(principal, definition.id));
  return { subscription, created: !known.has(definition.id) };
}
