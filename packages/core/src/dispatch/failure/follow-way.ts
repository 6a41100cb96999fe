import type { ActiveSubscription } from '../active-subscription.ts';

/**
 * Called when the sink says that something changed. Another way leads to another receiver: what the breaker learned of the
 * first one says nothing of it, and what could go now must not wait for it.
 */
export function followWay({ receiver, sink }: ActiveSubscription): void {
  if (!receiver) return;
  const way = sink.realtime?.way;
  if (receiver.way !== undefined && receiver.way !== way) receiver.closeBreaker();
  receiver.way = way;
}
