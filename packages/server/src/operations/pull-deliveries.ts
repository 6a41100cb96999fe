import type { JsonValue, LeasedDelivery, Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/**
 * Hands over what a subscription is owed that has no handler and no endpoint. Each delivery is leased; while there is none this
 * waits as long as was asked for, or until `signal`. Throws `subscription_not_found`, `not_supported`, `invalid_request`,
 * `overloaded`, `not_ready`.
 */
export function pullDeliveries(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  input: JsonValue,
  signal: AbortSignal,
): Promise<readonly LeasedDelivery[]> {
  return engine.subscriptions.pulls.pull(principal, id, input, signal);
}

/** Gives deliveries back that did not reach whoever asked for them: it costs no failure. */
export function releaseDeliveries({ engine }: OperationContext, id: string, pulled: readonly LeasedDelivery[]): void {
  engine.subscriptions.pulls.release(
    id,
    pulled.map(({ token }) => token),
  );
}
