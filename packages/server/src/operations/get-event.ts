import { EventManagerError, type Principal, parseEventId, type Recorded } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** One stored event. Throws `event_not_found`, also for what is no event id at all. */
export async function getEvent(context: OperationContext, principal: Principal, id: string): Promise<Recorded> {
  const known = parseEventId(id);
  const record = known === undefined ? undefined : await context.engine.history.event(principal, known);
  if (record) return record;
  throw new EventManagerError('event_not_found', 'No event with this id is kept.');
}
