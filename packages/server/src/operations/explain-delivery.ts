import type { Principal, Why } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Why an event did or did not come to a subscription. Throws `subscription_not_found`. */
export function explainDelivery(
  { engine }: OperationContext,
  principal: Principal,
  subscriptionId: string,
  eventId: string,
): Promise<Why> {
  return engine.explanations.why(principal, subscriptionId, eventId);
}
