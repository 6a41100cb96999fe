import type { Principal, SubscriberContext } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** The context that a subscriber registered. Throws `context_not_found`, `invalid_context`. */
export function getContext({ engine }: OperationContext, principal: Principal, subscriber: string): SubscriberContext {
  return engine.contexts.get(principal, subscriber);
}
