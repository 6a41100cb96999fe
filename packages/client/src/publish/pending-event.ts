import type { EventManagerError, PublishResult } from '@event-manager/core';

/** An event that was handed in and is not acknowledged yet. */
export interface PendingEvent {
  readonly id: string;
  /** Its JSON. */
  readonly text: string;
  readonly bytes: number;
  /** In the order of publishing. */
  readonly number: number;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: EventManagerError) => void;
  /** Times it was sent. */
  sends: number;
  /** Why the service did not take it at the last try. */
  refusal: EventManagerError | undefined;
  /** True once its caller knows. */
  isSettled: boolean;
}
