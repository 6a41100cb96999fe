import { EventPriority, LANES, type Lane, type PriorityName, priorityName } from '../../event/priority.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import type { LaneQueue } from '../lane-queue.ts';

/** How one lane of a subscription is. The one lane of an ordered subscription is told of as NORMAL. */
export interface LaneStatus {
  /** Deliveries that wait for a first attempt and are in memory. */
  readonly waiting: number;
  /** How long the first of them has waited, milliseconds; absent when none does. */
  readonly oldestMs?: number;
  /** First attempts that began since it is served here. */
  readonly begun: number;
  /** From storing an event to the beginning of its first attempt, of those, milliseconds. */
  readonly waitMeanMs: number;
  readonly waitMaxMs: number;
}

export type LaneStatuses = Readonly<Record<PriorityName, LaneStatus>>;

export function laneStatuses(subscription: ActiveSubscription, wallMs: number): LaneStatuses {
  const entries = LANES.map((lane) => [priorityName(lane), statusOf(subscription, lane, wallMs)] as const);
  return Object.fromEntries(entries) as unknown as LaneStatuses;
}

/** How long the first event of `lane` that waits for a first attempt has waited; `undefined` when none does. */
export function oldestMs(subscription: ActiveSubscription, lane: Lane, wallMs: number): number | undefined {
  const position = laneOf(subscription, lane)?.peek();
  return position === undefined ? undefined : Math.round(subscription.ageMs(position, wallMs));
}

function statusOf(subscription: ActiveSubscription, lane: Lane, wallMs: number): LaneStatus {
  const { waits } = subscription;
  const oldest = oldestMs(subscription, lane, wallMs);
  return {
    waiting: laneOf(subscription, lane)?.waiting ?? 0,
    ...(oldest === undefined ? {} : { oldestMs: oldest }),
    begun: waits.count(lane),
    waitMeanMs: Math.round(waits.meanMs(lane) * 10) / 10,
    waitMaxMs: Math.round(waits.longestMs(lane)),
  };
}

function laneOf({ queue }: ActiveSubscription, lane: Lane): LaneQueue | undefined {
  if (!queue.isOrdered) return queue.lanes[lane];
  return lane === EventPriority.NORMAL ? queue.lanes[0] : undefined;
}
