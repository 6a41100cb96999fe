import {
  changedRequest,
  EventManagerError,
  type JsonObject,
  type JsonValue,
  type Principal,
  parseSubscription,
  throughOf,
} from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * Changes the given fields of a subscription and answers what it is then. An endpoint that could never be reached is refused
 * before anything is stored; one that is left as it is may go on being blocked, so that everything else can be changed.
 * Throws `subscription_not_found`, `endpoint_blocked` and what `Subscriptions.update` throws.
 */
export async function updateSubscription(
  context: OperationContext,
  principal: Principal,
  id: string,
  changes: JsonValue,
): Promise<SubscriptionDescription> {
  const { engine, checkEndpoints } = context;
  const { subscriptions } = engine;
  const before = subscriptions.get(principal, id);
  if (!isObject(changes)) {
    throw new EventManagerError('invalid_subscription', 'An object with the fields to change is expected.', {
      pointer: '',
    });
  }
  const changed = changedRequest(before, changes);
  const { sink } = parseSubscription(changed, engine.limits, throughOf(before, changed));
  const isMoved = JSON.stringify(sink) !== JSON.stringify(before.sink);
  if (isMoved) checkEndpoints(sink);
  const definition = await subscriptions.update(principal, id, changes);
  return describeSubscription(definition, subscriptions.status(principal, id));
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
