import type { Position } from '../contracts/event-store.ts';
import type { RealtimeState } from '../contracts/sink.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { type DeliveryCounts, noCounts } from '../dispatch/delivery-counts.ts';
import { type ReceiverStatus, receiverStatus } from '../dispatch/failure/receiver-status.ts';
import { type LaneStatuses, laneStatuses } from '../dispatch/pace/lane-status.ts';
import type { ProgressState } from '../health/progress.ts';
import type { SubscriptionProgress } from '../health/stall-watch.ts';
import type { DebtRemovals } from '../retention/removal-record.ts';
import type { Clock } from '../runtime/clock.ts';

/** How far a subscription is, as far as this process knows. */
export interface SubscriptionStatus {
  /** False when nobody serves it: no handler is attached, or, where processes cannot be asked, another one has the lease. */
  readonly served: boolean;
  /** The process that serves it, where several share the store. */
  readonly servedBy?: string;
  /** Deliveries that wait for a first attempt and are in memory; more may be in the log. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Deliveries that wait for a retry. */
  readonly owed: number;
  readonly state: ProgressState;
  /** In an ordered subscription: keys whose later events wait for a retry or their turn, and those that somebody has to release. */
  readonly blockedKeys?: number;
  readonly parkedKeys?: number;
  /** Deliveries it may still have to make: what it owes, and what it has not looked at yet. Where it is not served here only `progress` knows. */
  readonly lag?: number;
  /** When an attempt ended or an event was passed over, RFC 3339; absent when neither happened since it is served here. */
  readonly lastProgressAt?: string;
  /**
   * Handlers or sockets of this process that share it, or askers that wait for its deliveries; absent where there are none by
   * its kind.
   */
  readonly members?: number;
  readonly counts: Readonly<DeliveryCounts>;
  /** Where it is served here. */
  readonly lanes?: LaneStatuses;
  /** Attempts that it may still make in the minute that ends now; absent where the rate is not limited. */
  readonly rateLeft?: number;
  /** What retention removed of its debts, since it was created; absent where that is nothing, and where only `progress` knows. */
  readonly debtRemoved?: DebtRemovals;
  /** How its receiver is, where it has an endpoint or a breaker. */
  readonly receiver?: ReceiverStatus;
  /** How its receiver is reached, where that is a connection. */
  readonly realtime?: RealtimeState;
}

export function statusOf(
  subscription: ActiveSubscription,
  progress: SubscriptionProgress,
  clock: Clock,
): SubscriptionStatus {
  const { queue, counts } = subscription;
  const { id: _id, name: _name, ...rest } = progress;
  const receiver = receiverStatus(subscription, clock);
  const { realtime } = subscription.sink;
  return {
    served: true,
    waiting: queue.waitingCount,
    inFlight: queue.claimedCount,
    owed: queue.owed.size,
    ...(queue.keys ? { blockedKeys: queue.keys.blockedCount, parkedKeys: queue.keys.parkedCount } : {}),
    ...rest,
    counts: { ...counts },
    lanes: laneStatuses(subscription, clock.wallMs()),
    ...(subscription.rateLimit ? { rateLeft: subscription.rateLimit.room(clock.monotonicMs()) } : {}),
    ...(receiver ? { receiver } : {}),
    ...(realtime ? { realtime } : {}),
  };
}

export function unservedStatus(): SubscriptionStatus {
  return { served: false, waiting: 0, inFlight: 0, owed: 0, state: 'unserved', counts: noCounts() };
}

/** Everything at or before it is settled. */
export function settledPosition({ queue }: ActiveSubscription, head: Position): Position {
  let position = head;
  for (const lane of queue.lanes) position = Math.min(position, lane.floor(head));
  for (const owed of queue.owed.values()) if (!owed.redriven) position = Math.min(position, owed.position - 1);
  for (const entry of queue.keys?.entries() ?? []) if (entry.owesRange) position = Math.min(position, entry.from - 1);
  return position;
}
