/**
 * Chooses what an ordered subscription attempts next. Three things can begin, in this order: a retry whose time has come, the
 * next event of a key whose head is settled, and a fresh event. A fresh one whose key is not free goes behind the others
 * of its key and costs no attempt. What a retry or a suspect holds comes alone; a batch never holds two events of one key.
 */
import type { Position } from '../../contracts/event-store.ts';
import { LANES, type Lane } from '../../event/priority.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import {
  bodiesToLoad,
  type ClaimContext,
  type ClaimedDelivery,
  laneWithRetry,
  PASSES_MAX,
  pass,
  refuses,
  upcoming,
  workOf,
} from '../claim.ts';
import type { KeptEvent } from '../kept-event.ts';
import { isExhausted } from '../settle.ts';
import type { KeyEntry } from './key-entry.ts';

/** `passed`: the event needed no attempt, or has to wait for others; the next one may do. `undefined`: nothing can begin now. */
type Step = ClaimedDelivery | 'passed' | undefined;

/** Claims the next batch of at most `room`, or returns `undefined` when there is none. */
export function claimOrdered(
  subscription: ActiveSubscription,
  room: number,
  context: ClaimContext,
): ClaimedDelivery[] | undefined {
  const { queue } = subscription;
  const batch: ClaimedDelivery[] = [];
  context.passed = 0;
  const batchMax = Math.min(subscription.batchSize, queue.windowLeft, room);
  while (batch.length < batchMax && context.passed < PASSES_MAX) {
    const lane = laneWithRetry(subscription);
    const entry = lane === undefined ? queue.keys!.lines.first(subscription.suspectUnderWay) : undefined;
    const isAlone = lane !== undefined || entry?.standing === 'suspect';
    if (isAlone && batch.length > 0) break;
    const step = lane !== undefined ? retry(subscription, lane, context) : next(subscription, entry, context);
    if (step === undefined) break;
    if (step === 'passed') continue;
    batch.push(step);
    if (isAlone) break;
  }
  return batch.length > 0 ? batch : undefined;
}

function next(subscription: ActiveSubscription, entry: KeyEntry | undefined, context: ClaimContext): Step {
  return entry ? turn(subscription, entry, context) : fresh(subscription, context);
}

function retry(subscription: ActiveSubscription, lane: Lane, context: ClaimContext): Step {
  const { queue } = subscription;
  const owed = queue.peekReady(lane)!;
  const kept = owed.event ?? bodyOf(subscription, owed.position, () => [owed.position], context);
  if (kept === 'missing') return undefined;
  if (!kept || refuses(subscription, kept, true, context)) {
    pass(subscription, lane, true, owed.position, kept);
    return passed(kept, context);
  }
  if (isExhausted(owed, kept, subscription.definition.options.retry)) {
    context.exhausted(subscription, { claimed: queue.takeReady(lane), kept });
    return passed(undefined, context);
  }
  return { claimed: queue.claimReady(lane), kept };
}

/** The next event of a key that may go on: one that was held in the lane, or the first of what its range has left. */
function turn(subscription: ActiveSubscription, entry: KeyEntry, context: ClaimContext): Step {
  const { queue } = subscription;
  const keys = queue.keys!;
  const isSuspect = entry.standing === 'suspect';
  if (!isSuspect && !keys.isReserved(entry)) {
    keys.reserve(entry);
    context.needsReservation(subscription);
    return passed(undefined, context);
  }
  const lane = queue.lanes[0]!;
  const position = entry.next!;
  const kept = bodyOf(subscription, position, () => keys.lines.upcoming(bodiesToLoad(subscription)), context);
  if (kept === 'missing') return undefined;
  if (!kept || refuses(subscription, kept, false, context)) {
    keys.pass(entry, lane);
    letGoOf(subscription, position, kept);
    return passed(kept, context);
  }
  const claimed = isSuspect ? queue.claimSuspect(entry, kept.lane) : queue.claimTurn(entry, kept.lane);
  return { claimed, kept };
}

function fresh(subscription: ActiveSubscription, context: ClaimContext): Step {
  const { queue } = subscription;
  const keys = queue.keys!;
  // At the cap of debts only debts are attempted: nothing else makes room again.
  if (queue.isSaturated) return undefined;
  const lane = LANES.find((number) => queue.byLane[number]!.waiting > 0);
  if (lane === undefined) return undefined;
  const position = queue.byLane[lane]!.peek()!;
  if (!queue.isReserved(lane, position)) {
    context.needsReservation(subscription);
    return undefined;
  }
  const kept = bodyOf(subscription, position, () => upcoming(subscription, lane, false), context);
  if (kept === 'missing') return undefined;
  if (!kept || refuses(subscription, kept, false, context)) {
    pass(subscription, lane, false, position, kept);
    return passed(kept, context);
  }
  if (!keys.keyOf) return { claimed: queue.claimWaiting(lane), kept };
  const key = keys.keyOf(kept);
  const entry = keys.find(key);
  if (!entry) return { claimed: queue.claimWaiting(kept.lane, keys.begin(key, position)), kept };
  if (context.planted.has('key-order-lost-on-overflow') && !keys.held.mayHold(entry)) {
    return { claimed: queue.claimWaiting(kept.lane), kept };
  }
  if (!queue.putBehind(lane, entry)) letGoOf(subscription, position, kept);
  return passed(kept, context);
}

/** The body of an event; `missing` when it has to be read first, nothing when it cannot be read any more. */
function bodyOf(
  subscription: ActiveSubscription,
  position: Position,
  wanted: () => readonly Position[],
  context: ClaimContext,
): KeptEvent | 'missing' | undefined {
  const kept = context.bodies.get(position);
  if (kept || subscription.unreadable.has(position)) return kept;
  context.needsBodies(subscription, wanted());
  return 'missing';
}

/** Nobody shall wait for the first attempt of an event that waits for others, or keep its body for it. */
function letGoOf(subscription: ActiveSubscription, position: Position, kept: KeptEvent | undefined): void {
  if (kept) {
    subscription.firstAttemptEnded(kept);
    subscription.doneWith(kept);
  } else {
    subscription.count('removed');
    subscription.unreadable.delete(position);
  }
}

function passed(kept: KeptEvent | undefined, context: ClaimContext): 'passed' {
  context.passed += workOf(kept);
  return 'passed';
}
