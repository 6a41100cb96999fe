import type { Bounds, Position, Recorded } from '../contracts/event-store.ts';
import type { RetentionPolicy } from './retention-policy.ts';

/** How far the oldest events of the log are to go. */
export interface DueRange {
  /** By the limits of the log, if nobody is owed them. */
  readonly through: Position;
  /** Also where somebody is. Never beyond `through`. */
  readonly forcedThrough: Position;
}

/**
 * Judges the oldest events of the log, which `records` are, one by one: due is what the log must give up to be within its
 * limits, and no event more. An event is forced when besides it is too old to be owed, or the log too large for debts.
 */
export function dueRange(
  records: readonly Recorded[],
  { first, bytes = 0, events = 0 }: Bounds,
  policy: RetentionPolicy,
  nowMs: number,
): DueRange {
  let through = first - 1;
  let forcedThrough = through;
  let bytesLeft = bytes;
  let eventsLeft = events;
  let isForced = true;
  for (const { place, recordedAtMs, body } of records) {
    const ageMs = nowMs - recordedAtMs;
    if (ageMs <= policy.ageMs && bytesLeft <= policy.bytesMax && eventsLeft <= policy.eventsMax) break;
    through = place.position;
    isForced &&= ageMs > policy.owedAgeMs || bytesLeft > policy.owedBytesMax;
    if (isForced) forcedThrough = through;
    bytesLeft -= body.length;
    eventsLeft--;
  }
  return { through, forcedThrough };
}
