import type { ActiveSubscription } from '../active-subscription.ts';

/**
 * What outlives the process that knew the receiver. A pause does with the debt that was put off by it: whoever serves next
 * waits for the rest of it. What is kept of another address is forgotten, or it would count again if that came back.
 */
export function restoreReceiver({ pause, queue, receiver }: ActiveSubscription): void {
  for (const owed of queue.owed.values()) if (owed.isPause) pause.until(owed.dueAtMs);
  if (!receiver?.failing.isFailing) queue.receiver = undefined;
}
