import type { Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** From the next delivery on the subscriber is one without a context. Throws `context_not_found`, `invalid_context`. */
export function removeContext({ engine }: OperationContext, principal: Principal, subscriber: string): Promise<void> {
  return engine.contexts.remove(principal, subscriber);
}
