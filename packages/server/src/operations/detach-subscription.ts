import type { DetachOptions, Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** A connection leaves a subscription: a named one goes on existing, an unnamed one ends. Throws `subscription_not_found`. */
export function detachSubscription(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  options: DetachOptions,
): Promise<void> {
  return engine.subscriptions.detach(principal, id, options);
}
