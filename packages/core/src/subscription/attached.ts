import type { Sink } from '../contracts/sink.ts';
import type { SubscriptionDefinition } from './subscription.ts';

/** What of this process serves a subscription that cannot be served without: a handler or a socket. */
export interface Attached {
  readonly sink: Sink;
  /** The subscription is not served through `sink` any more, and it was not `sink` that left. */
  readonly onLeft?: ((reason: LeftReason) => void) | undefined;
}

/** Somebody else serves it from now on, or it ended. */
export type LeftReason = 'taken_over' | 'ended';

/** True when a handler or socket has to be attached; everything else is served by whoever may, and its sink is made for that. */
export function needsAttaching({ sink }: Pick<SubscriptionDefinition, 'sink'>): boolean {
  return sink.kind === 'handler' || sink.kind === 'socket';
}
