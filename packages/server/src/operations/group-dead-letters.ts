import type { LetterGroupsFound, Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** The open dead letters by their causes, of one subscription or of all; the latest error first. */
export async function groupDeadLetters(
  { engine }: OperationContext,
  principal: Principal,
  subscriptionId: string | undefined,
): Promise<LetterGroupsFound> {
  return engine.redrives.groups(principal, subscriptionId);
}
