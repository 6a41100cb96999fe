import type { Principal, TopicInfo } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** One declared topic with its schema. Throws `topic_not_found`, `invalid_topic`. */
export function getTopic({ engine }: OperationContext, principal: Principal, topic: string): TopicInfo {
  return engine.topics.get(principal, topic);
}
