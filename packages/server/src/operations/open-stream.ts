import type { EventStream, Principal, StreamRequest } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** A read of the log from a cursor that the client holds. Throws `invalid_pattern`, `invalid_filter`, `invalid_cursor`. */
export function openStream(
  context: OperationContext,
  principal: Principal,
  request: StreamRequest,
): Promise<EventStream> {
  return context.engine.stream(principal, request);
}
