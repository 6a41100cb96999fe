import type { Principal, Run, SelectedLetters } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Closes dead letters for good; with `dryRun` it only says which. Throws what a redrive throws. */
export async function discardDeadLetters(
  { engine }: OperationContext,
  principal: Principal,
  request: unknown,
): Promise<Run | SelectedLetters> {
  return engine.redrives.start(principal, 'discard', request, engine.runs);
}
