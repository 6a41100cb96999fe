/**
 * Decides what becomes of a delivery after an attempt, and nothing else does. The decision and everything that follows
 * from it reach the state store in one commit.
 */

import type { AttemptError, Outcome } from '../contracts/sink.ts';
import type { StateChange } from '../contracts/state-store.ts';
import { EXPLICIT_RETRIES } from '../event/flags.ts';
import { delayBeforeRetryMs, type RetryPolicy } from '../retry/retry-policy.ts';
import type { Chance } from '../runtime/chance.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { ClaimedDelivery } from './claim.ts';
import { deadLetterChanges } from './dead-letter.ts';
import { type DeliveryLog, recordBytes } from './delivery-log.ts';
import { type HeedContext, heed, heedRelease } from './failure/heed.ts';
import { pauseMs } from './failure/pause-ms.ts';
import { nameOf } from './failure/receiver.ts';
import type { KeptEvent } from './kept-event.ts';
import { type FailedAttempt, failedAttempt, type Owed } from './owed.ts';
import { untilExpiryMs } from './until-expiry.ts';

export interface SettleContext extends HeedContext {
  readonly chance: Chance;
  readonly planted: Runtime['planted'];
  readonly log: DeliveryLog;
  /** A debt waits for its time, given by `owed.dueAtMs`. */
  schedule(subscription: ActiveSubscription, owed: Owed): void;
}

/** What a failed delivery takes in the report of a replay, about. */
const REPORTED_BYTES = 1_024;

/** `ordinal` is the place of the delivery in its batch. */
export function settle(
  subscription: ActiveSubscription,
  delivery: ClaimedDelivery,
  outcome: Outcome,
  ordinal: number,
  context: SettleContext,
): void {
  if (outcome.status === 'release') {
    release(subscription, delivery, context);
    return;
  }
  const { claimed } = delivery;
  const { receiver } = subscription;
  if (claimed.owed?.suspect) subscription.suspectUnderWay = false;
  const { receiving } = subscription;
  const isHeeded =
    receiver !== undefined && heed({ subscription: receiving, receiver, delivery, ordinal, context }, outcome);
  const isSpared = isHeeded && !context.planted.has('breaker-spends-retries');
  switch (outcome.status) {
    case 'delivered':
      settleDelivered(subscription, delivery, context);
      subscription.count('delivered');
      subscription.doneWith(delivery.kept);
      break;
    case 'retry':
      subscription.count('failed');
      retryOrBury(subscription, delivery, outcome, isSpared, context);
      break;
    case 'busy': {
      const delayMs = pauseMs(subscription, outcome.afterMs, context.chance);
      subscription.pause.until(context.clock.monotonicMs() + delayMs);
      keep(subscription, delivery, outcome.error, delayMs, context).pausedBy = nameOf(receiver);
      break;
    }
    case 'reject':
      subscription.count('failed');
      bury(subscription, delivery, outcome.error, context);
      break;
    case 'gone':
      subscription.count('failed');
      bury(subscription, delivery, outcome.error, context);
      context.onReceiver(receiving, {
        what: 'stopped',
        reason: { ...outcome.error, atMs: context.clock.wallMs() },
      });
      break;
  }
  if (claimed.attempt === 1 && delivery.isAwaited !== false) subscription.firstAttemptEnded(delivery.kept);
}

function settleDelivered(subscription: ActiveSubscription, delivery: ClaimedDelivery, { log }: SettleContext): void {
  const { claimed } = delivery;
  const changes = log.delivered(subscription, delivery);
  if (changes.length === 0) subscription.queue.settleFinal(claimed);
  else subscription.queue.settleFinal(claimed, changes, recordBytes(claimed.owed?.failedAttempts.length ?? 0));
}

/** Puts a delivery back that never got an answer through no fault of its receiver: it costs no failure. */
export function release(subscription: ActiveSubscription, delivery: ClaimedDelivery, context: SettleContext): void {
  const { receiver } = subscription;
  if (delivery.claimed.owed?.suspect) subscription.suspectUnderWay = false;
  if (receiver) heedRelease({ receiver, delivery, context });
  if (context.planted.has('release-counts-as-failure')) {
    const error = { code: 'released', message: 'Planted: given back.' };
    retryOrBury(subscription, delivery, { status: 'retry', error }, false, context);
    return;
  }
  keep(subscription, delivery, undefined, 0, context);
  if (delivery.claimed.attempt === 1 && delivery.isAwaited !== false) subscription.firstAttemptEnded(delivery.kept);
}

/** An attempt during which the process died counts as a failure; called when its debt is recovered. */
export function countCrash(owed: Owed, atMs: number): void {
  owed.failures++;
  owed.remember({ code: 'process_died', message: 'The process ended while this attempt was under way.' }, atMs);
  owed.started = false;
  owed.suspect = true;
}

/** True when the policy gives no further attempt. */
export function isExhausted(owed: Owed, kept: KeptEvent, policy: RetryPolicy): boolean {
  return owed.failures > retriesMax(kept, policy);
}

/** Makes a retry without an attempt left a dead letter, with the errors it has. */
export function buryExhausted(
  subscription: ActiveSubscription,
  delivery: ClaimedDelivery,
  context: SettleContext,
): void {
  bury(subscription, delivery, undefined, context);
}

/** A spared failure spends no retry. */
function retryOrBury(
  subscription: ActiveSubscription,
  delivery: ClaimedDelivery,
  { error, afterMs }: Extract<Outcome, { status: 'retry' }>,
  isSpared: boolean,
  context: SettleContext,
): void {
  const failures = (delivery.claimed.owed?.failures ?? 0) + (isSpared ? 0 : 1);
  const policy = subscription.definition.options.retry;
  // Where order may be kept by giving up, nothing is worth the wait of a retry.
  const isSkipped = subscription.definition.options.onFailure === 'skip' && failures > 0;
  if (isSkipped || failures > retriesMax(delivery.kept, policy)) {
    bury(subscription, delivery, error, context);
    return;
  }
  const policyMs = delayBeforeRetryMs(policy, Math.max(1, failures), context.chance, afterMs);
  // A debt that expires before its retry ends then: nothing waits longer behind it, and it takes no place.
  const delayMs = Math.min(policyMs, untilExpiryMs(delivery.kept, context.clock.wallMs()));
  const owed = keep(subscription, delivery, error, delayMs, context);
  owed.failures = failures;
  subscription.count('retried');
}

function keep(
  subscription: ActiveSubscription,
  delivery: ClaimedDelivery,
  error: AttemptError | undefined,
  delayMs: number,
  context: SettleContext,
): Owed {
  const owed = subscription.queue.settleOwed(delivery.claimed);
  owed.pausedBy = undefined;
  const wallMs = context.clock.wallMs();
  if (error) owed.remember(error, wallMs);
  owed.delayMs = delayMs;
  owed.dueWallMs = wallMs + delayMs;
  owed.dueAtMs = context.clock.monotonicMs() + delayMs;
  context.schedule(subscription, owed);
  return owed;
}

function bury(
  subscription: ActiveSubscription,
  delivery: ClaimedDelivery,
  error: AttemptError | undefined,
  context: SettleContext,
): void {
  const { claimed, kept } = delivery;
  const atMs = context.clock.wallMs();
  const errors: FailedAttempt[] = [...(claimed.owed?.failedAttempts ?? [])];
  if (error) errors.push(failedAttempt(claimed.attempt, error, atMs));
  if (subscription.replay && !context.planted.has('replay-fails-as-live')) {
    const reported = subscription.replay.failed({ kept, attempts: claimed.attempt, errors, atMs });
    subscription.queue.settleDead(claimed, reported, reported.length * REPORTED_BYTES, { atMs, deadLetterId: '' });
    subscription.count('deadLettered');
    return;
  }
  const changes: StateChange[] = deadLetterChanges({
    definition: subscription.definition,
    kept,
    attempts: claimed.attempt,
    round: subscription.queue.roundOf(claimed.owed),
    errors,
    atMs,
    redriven: claimed.owed?.redriven,
  });
  const deadLetterId = changes.find(({ kind }) => kind === 'dead-letter-id')!.key;
  const bytes = changes.length * kept.body.length;
  changes.push(...context.log.buried(subscription, delivery));
  subscription.queue.settleDead(claimed, changes, bytes, { atMs, deadLetterId });
  kept.done();
  subscription.count('deadLettered');
}

/** The publisher's number beats the subscription's. */
function retriesMax(kept: KeptEvent, policy: RetryPolicy): number {
  return (kept.flags & EXPLICIT_RETRIES) !== 0 ? kept.event.metadata.maxRetries : policy.maxRetries;
}
