import type { Sink } from '../contracts/sink.ts';
import type { SubscriptionDefinition } from './subscription.ts';

/** What of this process serves a subscription that cannot be served without: a handler or a socket. */
export interface Attached {
  readonly sink: Sink;
  /** Who it is, where it can say so: when it comes again it takes its own place, and not one more. */
  readonly member?: string | undefined;
  /** The process where it sits, when that is another one. */
  readonly at?: string | undefined;
  /** The subscription is not served through `sink` any more, and it was not `sink` that left. */
  readonly onLeft?: ((reason: LeftReason) => void) | undefined;
}

/** The same member came again, or the subscription ended. */
export type LeftReason = 'taken_over' | 'ended';

type WithSink = Pick<SubscriptionDefinition, 'sink'>;

/** True when handlers or sockets can be attached to it. */
export function isAttachable({ sink }: WithSink): boolean {
  return sink.kind === 'handler' || sink.kind === 'socket';
}

/** True when one has to be: everything else is served by whoever may, through a sink that is made for that. */
export function needsAttaching({ sink }: WithSink): boolean {
  return isAttachable({ sink }) && !('fallback' in sink && sink.fallback !== undefined);
}
