import type { Principal, ScheduledEventWithContent } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** One event that waits for its time. Throws `scheduled_not_found`. */
export function getScheduled(
  context: OperationContext,
  principal: Principal,
  id: string,
): Promise<ScheduledEventWithContent> {
  return context.engine.schedule.get(principal, id);
}
