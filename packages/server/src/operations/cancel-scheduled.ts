import type { Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Says whether it was in time: if not, the event is published already. Throws `scheduled_not_found`. */
export async function cancelScheduled(
  context: OperationContext,
  principal: Principal,
  id: string,
): Promise<{ readonly id: string; readonly cancelled: boolean }> {
  const cancelled = await context.engine.schedule.cancel(principal, id);
  return { id: id.toLowerCase(), cancelled };
}
