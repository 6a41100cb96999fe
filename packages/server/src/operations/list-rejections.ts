import type { Principal, Rejection, RejectionCount } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export interface RejectionsFound {
  /** The last hundred, the newest first. */
  readonly data: readonly Rejection[];
  /** By code and topic, the most frequent first. */
  readonly counts: readonly RejectionCount[];
}

/** Events that were refused for what their topic asks, since the start of the service. */
export function listRejections({ engine }: OperationContext, _principal: Principal): RejectionsFound {
  return { data: engine.rejections.recent, counts: engine.rejections.counts };
}
