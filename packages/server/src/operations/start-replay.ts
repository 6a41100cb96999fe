import type { Principal, ReplayPreview, Run } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export type StartedReplay = { readonly run: Run; readonly preview?: undefined } | { readonly preview: ReplayPreview };

/** Starts a replay, or says what it would do. Throws `invalid_run`, `subscription_not_found`, `too_many_runs`. */
export async function startReplay(
  { engine }: OperationContext,
  principal: Principal,
  input: unknown,
): Promise<StartedReplay> {
  if (engine.replays.isDryRun(input)) return { preview: await engine.replays.preview(principal, input) };
  return { run: await engine.runs.start(principal, 'replay', input) };
}
