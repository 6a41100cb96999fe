import { isEventManagerError, type JsonValue, type Principal, type SubscriberContext } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export interface ContextRegistered {
  readonly registered: SubscriberContext;
  /** False when the subscriber had one before. */
  readonly created: boolean;
}

/** Registers the context of a subscriber in place of the one before. Throws what `Contexts.register` throws. */
export async function registerContext(
  { engine }: OperationContext,
  principal: Principal,
  subscriber: string,
  input: JsonValue,
): Promise<ContextRegistered> {
  const existed = exists(engine.contexts, principal, subscriber);
  return { registered: await engine.contexts.register(principal, subscriber, input), created: !existed };
}

function exists(contexts: OperationContext['engine']['contexts'], principal: Principal, subscriber: string): boolean {
  try {
    contexts.get(principal, subscriber);
    return true;
  } catch (error) {
    if (isEventManagerError(error)) return false;
    throw error;
  }
}
