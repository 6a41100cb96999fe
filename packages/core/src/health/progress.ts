/**
 * How far a subscription is, and whether it is where it is for a good reason. Alive is not enough: consumers that hang while
 * every health check is green are the complaint of this field.
 *
 * What may wait for good reason: a paused or stopped subscription, a receiver that has an attempt in hand (its timeout
 * bounds that), one that asked for a pause, retries whose time has not come, a lease that ran out. What is left could be
 * attempted now; when that stays so (see `StallWatch`), the fault is here and not with the receiver.
 */
import type { Position } from '../contracts/event-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { LANES } from '../event/priority.ts';

/**
 * `current`: nothing is left to do. `working`: attempts are under way or begin. `waiting`: for the time of a retry, or because
 * the receiver asked for it. `saturated`: so many retries wait that nothing new is attempted. `stalled`: it could go on and
 * does not. `unserved`: nobody serves it here.
 */
export type ProgressState =
  | 'current'
  | 'working'
  | 'waiting'
  | 'saturated'
  | 'stalled'
  | 'paused'
  | 'stopped'
  | 'unserved';

/** Something could be attempted or read now, and nothing is under way that would explain why it is not. */
export function isObstructed(subscription: ActiveSubscription, nowMs: number, head: Position): boolean {
  const { queue, definition, held } = subscription;
  if (!subscription.isServing || definition.state !== 'active') return false;
  // Those that were given up stay here while their slot does: the receiver has not let go.
  if (subscription.attempts.size > 0 || subscription.isHeldBack(nowMs)) return false;
  if (held && held.expiresAtMs <= nowMs) return false;
  if (queue.hasReady || subscription.starting.size > 0) return true;
  if (queue.isSaturated) return false;
  return queue.unseenCount > 0 || queue.wantsReading || readTo(subscription, head) < head;
}

/**
 * Deliveries it may still have to make: those owed, whether waiting or under way, and every position that was not looked at
 * yet. An upper bound while it reads back, exact otherwise.
 */
export function lagOf(subscription: ActiveSubscription, head: Position): number {
  const { queue } = subscription;
  let underWay = 0;
  for (const attempt of subscription.attempts) {
    if (attempt.state !== 'running') continue;
    for (const { claimed } of attempt.batch) if (!claimed.owed) underWay++;
  }
  return queue.waitingCount + queue.owed.size + underWay + (head - readTo(subscription, head));
}

/** How it is, apart from `stalled`, which takes time to tell. */
export function stateOf(subscription: ActiveSubscription, nowMs: number, head: Position): ProgressState {
  const { queue, definition } = subscription;
  if (definition.state !== 'active') return definition.state;
  if (queue.isSaturated) return 'saturated';
  if (lagOf(subscription, head) === 0) return 'current';
  const isWorking = subscription.attempts.size > 0 || isObstructed(subscription, nowMs, head);
  return isWorking ? 'working' : 'waiting';
}

/** Everything at or below it that matches is in the queue, owed or settled. */
function readTo(subscription: ActiveSubscription, head: Position): Position {
  let position = head;
  for (const number of LANES) {
    const lane = subscription.queue.byLane[number]!;
    if (subscription.wants(number) && lane.state !== 'live' && lane.cursor < position) position = lane.cursor;
  }
  return position;
}
