import type { Principal, Run } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export type RunControl = 'pause' | 'resume' | 'cancel';

/** A replay, redrive or discard stands still, goes on, or ends where it is. Throws `run_not_found`, `run_ended`. */
export function controlRun(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  control: RunControl,
): Promise<Run> {
  return engine.runs[control](principal, id);
}
