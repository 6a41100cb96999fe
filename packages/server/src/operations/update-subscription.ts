import {
  changedRequest,
  EventManagerError,
  type JsonObject,
  type JsonValue,
  type Principal,
  parseSubscription,
} from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * Changes the given fields of a subscription and answers what it is then. A webhook that could never be called is refused
 * before anything is stored; one that is left as it is may go on being blocked, so that everything else can be changed.
 * Throws `subscription_not_found`, `endpoint_blocked` and what `Subscriptions.update` throws.
 */
export async function updateSubscription(
  context: OperationContext,
  principal: Principal,
  id: string,
  changes: JsonValue,
): Promise<SubscriptionDescription> {
  const { engine, checkWebhook } = context;
  const { subscriptions } = engine;
  const before = subscriptions.get(principal, id);
  if (!isObject(changes)) {
    throw new EventManagerError('invalid_subscription', 'An object with the fields to change is expected.', {
      pointer: '',
    });
  }
  const through = before.sink.kind === 'socket' ? 'socket' : undefined;
  const { sink } = parseSubscription(changedRequest(before, changes), engine.limits, through);
  const isMoved = JSON.stringify(sink) !== JSON.stringify(before.sink);
  if (sink.kind === 'webhook' && isMoved) checkWebhook(sink);
  const definition = await subscriptions.update(principal, id, changes);
  return describeSubscription(definition, subscriptions.status(principal, id));
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
