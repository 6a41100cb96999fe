import { EventManagerError, type Principal } from '@event-manager/core';
import type { OperationContext, TestOutcome } from './operation-context.ts';

/**
 * Sends an event that is not stored to the webhook of a subscription, which may be its fallback, as it would be sent one that it is owed: the same guard, headers
 * and signature. What the subscription is owed, its state and its counts stay as they are; a failure is an answer, not an error. Throws
 * `subscription_not_found`, `not_supported` when it has no webhook, `overloaded`.
 */
export async function testSubscription(
  context: OperationContext,
  principal: Principal,
  id: string,
): Promise<TestOutcome> {
  const definition = context.engine.subscriptions.get(principal, id);
  const { sink } = definition;
  const webhook = sink.kind === 'webhook' ? sink : sink.kind === 'pull' ? undefined : sink.fallback;
  if (!webhook) {
    throw new EventManagerError('not_supported', 'Only a subscription with a webhook can be sent a test event.');
  }
  return context.sendTest({ ...definition, sink: { ...webhook, kind: 'webhook' } });
}
