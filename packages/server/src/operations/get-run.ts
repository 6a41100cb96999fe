import type { Principal, Run } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Throws `run_not_found`. */
export function getRun({ engine }: OperationContext, principal: Principal, id: string): Promise<Run> {
  return engine.runs.get(principal, id);
}
