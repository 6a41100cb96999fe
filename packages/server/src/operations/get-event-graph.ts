import type { EventGraph, EventGraphRequest, Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Causes, effects and flow of a stored event, within the asked bounds. Throws `event_not_found`, `invalid_query`. */
export function getEventGraph(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  request: EventGraphRequest,
): Promise<EventGraph> {
  return engine.history.graph(principal, id, request);
}
