import type { Principal, PublishResult } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Stores one event. `input` was made by `parseJson`. Throws what `Engine.publish` throws. */
export function publishEvent(context: OperationContext, principal: Principal, input: unknown): Promise<PublishResult> {
  return context.engine.publish(principal, input, { trusted: true });
}
