import type { JsonValue, Principal, TopicInfo } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export interface SchemaAdded {
  readonly topic: TopicInfo;
  /** False when the topic had this schema already. */
  readonly added: boolean;
}

/** Gives a topic a new version of its schema. Throws what `Topics.addSchema` throws. */
export async function addTopicSchema(
  { engine }: OperationContext,
  principal: Principal,
  topic: string,
  input: JsonValue,
): Promise<SchemaAdded> {
  const { versions } = engine.topics.get(principal, topic);
  const changed = await engine.topics.addSchema(principal, topic, input);
  return { topic: changed, added: changed.versions.length > versions.length };
}
