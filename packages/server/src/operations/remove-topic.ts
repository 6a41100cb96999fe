import type { Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Forgets a declaration; what is stored stays. Throws `topic_not_found`, `invalid_topic`. */
export function removeTopic({ engine }: OperationContext, principal: Principal, topic: string): Promise<void> {
  return engine.topics.remove(principal, topic);
}
