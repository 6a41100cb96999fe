import type { Principal, SubscriptionReset } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** A subscription goes on from another place of the log. Throws what `Resets.reset` throws. */
export function resetSubscription(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  input: unknown,
): Promise<SubscriptionReset> {
  return engine.subscriptions.resets.reset(principal, id, input);
}
