import type { ExtendAnswer, JsonValue, Principal, PullAnswer } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Pulled deliveries are done. Throws `subscription_not_found`, `not_supported`, `invalid_request`. */
export function acknowledgeDeliveries(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  input: JsonValue,
): Promise<PullAnswer> {
  return engine.subscriptions.pulls.ack(principal, id, input);
}

/** Pulled deliveries failed. Throws the same. */
export function refuseDeliveries(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  input: JsonValue,
): Promise<PullAnswer> {
  return engine.subscriptions.pulls.nack(principal, id, input);
}

/** Pulled deliveries take longer. Throws the same. */
export function extendDeliveries(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  input: JsonValue,
): Promise<ExtendAnswer> {
  return engine.subscriptions.pulls.extend(principal, id, input);
}
