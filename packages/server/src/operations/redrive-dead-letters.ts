import type { Principal, Run, SelectedLetters } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/**
 * Delivers dead letters once more; with `dryRun` it only says which. Throws `invalid_run`, `invalid_pattern`,
 * `dead_letter_not_found`, `subscription_not_found`, `confirmation_required`, and for another payload what publishing throws.
 */
export async function redriveDeadLetters(
  { engine }: OperationContext,
  principal: Principal,
  request: unknown,
): Promise<Run | SelectedLetters> {
  return engine.redrives.start(principal, 'redrive', request, engine.runs);
}
