import type { Clock } from '../../runtime/clock.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import type { Dispatcher } from '../dispatcher.ts';

/**
 * Somebody says that the receiver of a subscription is well: its breaker closes, its failures are forgotten, and a pause that it
 * asked for is over, also for the deliveries that were put off by it. What waits for a retry by the policy goes on waiting.
 */
export function forgive(subscription: ActiveSubscription, dispatcher: Dispatcher, clock: Clock): void {
  const { receiver, queue, pause } = subscription;
  receiver?.forgive();
  queue.receiver = undefined;
  pause.end();
  // First all of them: one that is timed again stands elsewhere in what is gone through.
  const putOff = [...queue.debtsToTime()].filter((owed) => owed.pausedBy !== undefined && !owed.started);
  for (const owed of putOff) {
    dispatcher.timetable.remove(owed);
    owed.pausedBy = undefined;
    owed.delayMs = 0;
    owed.dueWallMs = clock.wallMs();
    owed.dueAtMs = clock.monotonicMs();
    queue.changed(owed);
    dispatcher.schedule(subscription, owed);
  }
  dispatcher.wake(subscription);
}
