import type { ActiveSubscription } from '../active-subscription.ts';
import { nameOf } from './receiver.ts';

/**
 * What outlives the process that knew the receiver. A pause does with the debt that was put off by it: whoever serves next
 * waits for the rest of it. What is kept of another address is no matter of this one, and is forgotten: it would count again
 * if that came back.
 */
export function restoreReceiver({ pause, queue, receiver }: ActiveSubscription): void {
  const name = nameOf(receiver);
  for (const owed of queue.owed.values()) if (owed.pausedBy === name) pause.until(owed.dueAtMs);
  if (!receiver?.failing.isFailing) queue.receiver = undefined;
}
