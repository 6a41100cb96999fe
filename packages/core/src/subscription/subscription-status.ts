import type { Position } from '../contracts/event-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { type DeliveryCounts, noCounts } from '../dispatch/delivery-counts.ts';
import type { ProgressState } from '../health/progress.ts';
import type { SubscriptionProgress } from '../health/stall-watch.ts';

/** How far a subscription is, as far as this process knows. */
export interface SubscriptionStatus {
  /** False when nobody serves it here: no handler is attached, or another process has the lease. */
  readonly served: boolean;
  /** Deliveries that wait for a first attempt and are in memory; more may be in the log. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Deliveries that wait for a retry. */
  readonly owed: number;
  readonly state: ProgressState;
  /** Deliveries it may still have to make: what it owes, and what it has not looked at yet. Where it is not served here only `progress` knows. */
  readonly lag?: number;
  /** When an attempt ended or an event was passed over, RFC 3339; absent when neither happened since it is served here. */
  readonly lastProgressAt?: string;
  readonly counts: Readonly<DeliveryCounts>;
}

export function statusOf({ queue, counts }: ActiveSubscription, progress: SubscriptionProgress): SubscriptionStatus {
  const { id: _id, name: _name, ...rest } = progress;
  return {
    served: true,
    waiting: queue.waitingCount,
    inFlight: queue.claimedCount,
    owed: queue.owed.size,
    ...rest,
    counts: { ...counts },
  };
}

export function unservedStatus(): SubscriptionStatus {
  return { served: false, waiting: 0, inFlight: 0, owed: 0, state: 'unserved', counts: noCounts() };
}

/** Everything at or before it is settled. */
export function settledPosition({ queue }: ActiveSubscription, head: Position): Position {
  let position = head;
  for (const lane of queue.lanes) position = Math.min(position, lane.floor(head));
  for (const owed of queue.owed.keys()) position = Math.min(position, owed - 1);
  return position;
}
