import type { JsonValue, Principal, TopicInfo } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Gives a topic a new version of its schema. Throws what `Topics.addSchema` throws. */
export function addTopicSchema(
  { engine }: OperationContext,
  principal: Principal,
  topic: string,
  input: JsonValue,
): Promise<TopicInfo> {
  return engine.topics.addSchema(principal, topic, input);
}
