import type { Principal, ReleasedKeys } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** The events behind the dead letters of all parked keys go on. Throws `subscription_not_found`. */
export async function releaseKeys(
  { engine }: OperationContext,
  principal: Principal,
  subscriptionId: string,
): Promise<ReleasedKeys> {
  return engine.subscriptions.keys.releaseAll(principal, subscriptionId);
}
