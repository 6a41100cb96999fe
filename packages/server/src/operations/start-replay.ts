import {
  EventManagerError,
  isEventManagerError,
  type Principal,
  type ReplayPreview,
  type Run,
} from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export type StartedReplay = { readonly run: Run; readonly preview?: undefined } | { readonly preview: ReplayPreview };

/** Starts a replay, or says what it would do. Throws `invalid_run`, `subscription_not_found`, `endpoint_blocked`, `too_many_runs`. */
export async function startReplay(
  context: OperationContext,
  principal: Principal,
  input: unknown,
): Promise<StartedReplay> {
  const { engine } = context;
  const target = engine.replays.targetOf(input);
  if (target !== undefined) checkTarget(context, target);
  if (engine.replays.isDryRun(input)) return { preview: await engine.replays.preview(principal, input) };
  return { run: await engine.runs.start(principal, 'replay', input) };
}

/** Whoever asks hears at once what each delivery would be refused for. */
function checkTarget({ checkEndpoints }: OperationContext, endpoint: string): void {
  try {
    checkEndpoints({ kind: 'webhook', endpoint });
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    throw new EventManagerError(error.code, error.message, { ...error.details, pointer: '/target/endpoint' }, error);
  }
}
