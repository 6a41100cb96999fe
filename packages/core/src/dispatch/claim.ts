/**
 * Chooses what a subscription attempts next: the highest lane first, in a lane retries whose time has come before fresh
 * events. Here, and not when an event is routed, filters and expiry are judged: against the subscription as it is now.
 */
import type { Position } from '../contracts/event-store.ts';
import { ABOUT_THE_BUS, DEAD_LETTER, HAS_EXPIRY } from '../event/flags.ts';
import { LANES, type Lane } from '../event/priority.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { matchesPattern } from '../topic/pattern.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Bodies } from './bodies.ts';
import type { Claimed } from './claimed.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { KeptEvent } from './kept-event.ts';
import { claimOrdered } from './order/claim-ordered.ts';
import { isExhausted } from './settle.ts';

/** Bodies asked for at once when the next ones are not in memory: enough for the free slots, and at most so many. */
const LOAD_MAX = 128;

/** Small events passed over without an attempt before others have their turn. */
export const PASSES_MAX = 256;

export interface ClaimContext {
  readonly bodies: Bodies;
  /** Work of the last `claim` for events passed over, in small events: it counts against the turn. */
  passed: number;
  wallMs(): number;
  /** A claim waits for a durable reservation of `subscription`. */
  needsReservation(subscription: ActiveSubscription): void;
  /** A claim waits for these bodies. */
  needsBodies(subscription: ActiveSubscription, positions: readonly Position[]): void;
  /** A retry has no attempt left: the process died in the last one. */
  exhausted(subscription: ActiveSubscription, delivery: ClaimedDelivery): void;
  readonly planted: Runtime['planted'];
  readonly log: DeliveryLog;
}

export interface ClaimedDelivery {
  readonly claimed: Claimed;
  readonly kept: KeptEvent;
  /** False once its publisher does not wait for the end of the first attempt any more. */
  isAwaited?: false;
}

/** Claims the next batch of at most `room`, or returns `undefined` when there is none. A retry always comes alone. */
export function claim(
  subscription: ActiveSubscription,
  room: number,
  context: ClaimContext,
): ClaimedDelivery[] | undefined {
  const { queue } = subscription;
  if (queue.keys) return claimOrdered(subscription, room, context);
  let batch: ClaimedDelivery[] | undefined;
  context.passed = 0;
  const batchMax = Math.min(subscription.batchSize, queue.windowLeft, room);
  while ((batch?.length ?? 0) < batchMax && context.passed < PASSES_MAX) {
    const lane = nextLane(subscription);
    if (lane === undefined) break;
    const isRetry = hasReady(subscription, lane);
    if (isRetry && batch) break;
    const position = isRetry ? queue.peekReady(lane)!.position : queue.byLane[lane]!.peek()!;
    if (!isRetry && !queue.isReserved(lane, position)) {
      context.needsReservation(subscription);
      break;
    }
    const kept = (isRetry ? queue.peekReady(lane)!.event : undefined) ?? context.bodies.get(position);
    if (!kept && !subscription.unreadable.has(position)) {
      context.needsBodies(subscription, upcoming(subscription, lane, isRetry));
      break;
    }
    if (!kept || refuses(subscription, kept, isRetry, context)) {
      pass(subscription, lane, isRetry, position, kept);
      context.passed += workOf(kept) + subscription.filterWork;
      continue;
    }
    if (isRetry && isExhausted(queue.peekReady(lane)!, kept, subscription.definition.options.retry)) {
      context.exhausted(subscription, { claimed: queue.takeReady(lane), kept });
      context.passed++;
      continue;
    }
    const delivery = { claimed: isRetry ? queue.claimReady(lane) : queue.claimWaiting(kept.lane), kept };
    // Mostly one: a list that is empty first makes room for seventeen.
    if (batch) batch.push(delivery);
    else batch = [delivery];
    subscription.aging?.took(lane);
    if (isRetry) break;
  }
  return batch;
}

/** Looking at an event means decoding it: a large one costs as much as many small ones. */
export function workOf(kept: KeptEvent | undefined): number {
  return 1 + ((kept?.body.length ?? 0) >>> 12);
}

function nextLane(subscription: ActiveSubscription): Lane | undefined {
  for (const lane of LANES) {
    if (hasWork(subscription, lane)) return subscription.aging ? subscription.aging.next(lane) : lane;
  }
  return undefined;
}

export function hasWork(subscription: ActiveSubscription, lane: Lane): boolean {
  if (hasReady(subscription, lane)) return true;
  // At the cap of debts only debts are attempted: nothing else makes room again.
  return subscription.queue.byLane[lane]!.waiting > 0 && !subscription.queue.isSaturated;
}

/** The most urgent lane with a retry that may begin. */
export function laneWithRetry(subscription: ActiveSubscription): Lane | undefined {
  for (const lane of LANES) if (hasReady(subscription, lane)) return lane;
  return undefined;
}

function hasReady(subscription: ActiveSubscription, lane: Lane): boolean {
  const owed = subscription.queue.peekReady(lane);
  return owed !== undefined && !(owed.suspect && subscription.suspectUnderWay);
}

export function upcoming(subscription: ActiveSubscription, lane: Lane, isRetry: boolean): Position[] {
  if (isRetry) return [subscription.queue.peekReady(lane)!.position];
  const positions: Position[] = [];
  const queue = subscription.queue.byLane[lane]!;
  const most = bodiesToLoad(subscription);
  for (let ahead = 0; ahead < most; ahead++) {
    const position = queue.peekAhead(ahead);
    if (position === undefined) break;
    positions.push(position);
  }
  return positions;
}

/** How many bodies are worth reading at once. */
export function bodiesToLoad(subscription: ActiveSubscription): number {
  const { readAhead, concurrencyLeft, batchSize } = subscription;
  return Math.min(LOAD_MAX, Math.max(readAhead.size, concurrencyLeft * batchSize));
}

/** Counts and tells why an event needs no attempt. */
export function refuses(
  subscription: ActiveSubscription,
  kept: KeptEvent,
  isRetry: boolean,
  context: ClaimContext,
): boolean {
  if (kept.flags & HAS_EXPIRY) {
    const expiresAt = kept.event.metadata.expiresAt;
    if (expiresAt && expiresAt.getTime() <= context.wallMs()) {
      subscription.count('expired');
      context.log.passed(subscription, kept, 'expired', subscription.queue.owed.get(kept.position));
      return true;
    }
  }

  // A fresh event came through the pattern and its lane; a debt may be older than both.
  const isWithdrawn = isRetry && !(subscription.wants(kept.lane) && matchesPattern(subscription.pattern, kept.topic));
  if (isWithdrawn || tellsOf(subscription, kept) || (subscription.matches && !subscription.matches(kept.event))) {
    subscription.count(isRetry ? 'withdrawn' : 'skipped');
    if (isRetry) context.log.passed(subscription, kept, 'withdrawn', subscription.queue.owed.get(kept.position));
    return true;
  }
  return false;
}

/** The bus tells of a subscription to everybody else: it would answer for itself for ever. */
export function tellsOf({ id }: { readonly id: string }, kept: KeptEvent): boolean {
  if ((kept.flags & (DEAD_LETTER | ABOUT_THE_BUS)) === 0) return false;
  const { deadLetterOf, about } = kept.event.metadata as Record<string, unknown>;
  return (kept.flags & ABOUT_THE_BUS) !== 0 ? about === id : deadLetterOf === id;
}

export function pass(
  subscription: ActiveSubscription,
  lane: Lane,
  isRetry: boolean,
  position: Position,
  kept: KeptEvent | undefined,
): void {
  if (isRetry) subscription.queue.passReady(lane);
  else subscription.queue.passWaiting(lane);
  if (kept) {
    subscription.firstAttemptEnded(kept);
    subscription.doneWith(kept);
  } else {
    subscription.count('removed');
    subscription.unreadable.delete(position);
  }
}
