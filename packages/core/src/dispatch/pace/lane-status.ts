import { LANES, type Lane, type PriorityName, priorityName } from '../../event/priority.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import type { RecordedTimes } from './recorded-times.ts';

/** How one lane of a subscription is. */
export interface LaneStatus {
  /** Deliveries that wait for a first attempt and are in memory. */
  readonly waiting: number;
  /** How long the first of them has waited, milliseconds. */
  readonly oldestMs?: number;
  /** First attempts that began since it is served here. */
  readonly begun: number;
  /** From storing an event to the beginning of its first attempt, over those, milliseconds. */
  readonly waitMeanMs: number;
  readonly waitMaxMs: number;
}

export type LaneStatuses = Readonly<Record<PriorityName, LaneStatus>>;

export function laneStatuses(subscription: ActiveSubscription, times: RecordedTimes, wallMs: number): LaneStatuses {
  const entries = LANES.map((lane) => [priorityName(lane), statusOf(subscription, lane, times, wallMs)] as const);
  return Object.fromEntries(entries) as unknown as LaneStatuses;
}

/** How long the first event of `lane` that waits for a first attempt has waited; `undefined` when none does. */
export function oldestMs(
  { queue, definition }: ActiveSubscription,
  lane: Lane,
  times: RecordedTimes,
  wallMs: number,
): number | undefined {
  const position = queue.lanes[lane]!.peek();
  if (position === undefined) return undefined;
  return Math.max(0, wallMs - Math.max(times.timeOf(position) ?? wallMs, definition.createdAtMs));
}

function statusOf(subscription: ActiveSubscription, lane: Lane, times: RecordedTimes, wallMs: number): LaneStatus {
  const { queue, waits } = subscription;
  const oldest = oldestMs(subscription, lane, times, wallMs);
  return {
    waiting: queue.lanes[lane]!.waiting,
    ...(oldest === undefined ? {} : { oldestMs: Math.round(oldest) }),
    begun: waits.count(lane),
    waitMeanMs: Math.round(waits.meanMs(lane) * 10) / 10,
    waitMaxMs: Math.round(waits.longestMs(lane)),
  };
}
