import { isEventManagerError, type JsonValue, type Principal, type TopicInfo } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export interface TopicCreated {
  readonly topic: TopicInfo;
  /** False when it was declared like this before. */
  readonly created: boolean;
}

/** Declares a topic, or finds the one that says the same. Throws what `Topics.create` throws. */
export async function createTopic(
  { engine }: OperationContext,
  principal: Principal,
  input: JsonValue,
): Promise<TopicCreated> {
  const existed = exists(engine.topics, principal, input);
  return { topic: await engine.topics.create(principal, input), created: !existed };
}

function exists(topics: OperationContext['engine']['topics'], principal: Principal, input: JsonValue): boolean {
  const { topic } = (input ?? {}) as { readonly topic?: unknown };
  try {
    topics.get(principal, typeof topic === 'string' ? topic : '');
    return true;
  } catch (error) {
    if (isEventManagerError(error)) return false;
    throw error;
  }
}
