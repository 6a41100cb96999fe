/**
 * Decides what becomes of one letter when somebody redrives it: a debt again, one round on, or nothing, for a reason. The letter
 * is asked as it is in the store, the queue as it is in memory, and the debt is put there in the same step: so a letter becomes a
 * debt once, however often and by however many runs that is asked for.
 */
import type { ActiveSubscription } from '../../dispatch/active-subscription.ts';
import { tellsOf } from '../../dispatch/claim.ts';
import { type DeadLetter, redrivesOf } from '../../dispatch/dead-letter.ts';
import { Owed } from '../../dispatch/owed.ts';
import { RedrivenEvent, redrivenOf } from '../../dispatch/redriven.ts';
import { untilExpiryMs } from '../../dispatch/until-expiry.ts';
import { matchesPattern } from '../../topic/pattern.ts';

/** Why a letter that was meant stays as it is. */
export type SkipReason =
  /** It was redriven or discarded before. */
  | 'not_open'
  /** The subscription owes the event already: it waits, or is tried. */
  | 'owed_already'
  | 'expired'
  /** Topic, filter or priority of the subscription do not match it any more. */
  | 'not_wanted'
  /** It was redriven as often as may be. */
  | 'redriven_too_often';

export interface TakeUpFacts {
  readonly runId: string;
  readonly by: string;
  /** The edited event. */
  readonly event: string | undefined;
  /** Its next life: behind every one that a letter is kept of. */
  readonly round: number;
  /** How often a letter may have been redriven. */
  readonly redrivesMax: number;
  readonly wallMs: number;
}

/** The debt that the letter becomes, not yet due; or why it does not. */
export function takeUp(subscription: ActiveSubscription, letter: DeadLetter, facts: TakeUpFacts): Owed | SkipReason {
  if (letter.state !== 'open') return 'not_open';
  if (redrivesOf(letter) >= facts.redrivesMax) return 'redriven_too_often';
  const redriven = redrivenOf(letter, facts);
  const kept = new RedrivenEvent(redriven);
  if (untilExpiryMs(kept, facts.wallMs) <= 0) return 'expired';
  const isMatched = subscription.wants(kept.lane) && matchesPattern(subscription.pattern, kept.topic);
  if (!isMatched || tellsOf(subscription, kept)) return 'not_wanted';
  if (subscription.matches && !subscription.matches(kept.event)) return 'not_wanted';
  if (subscription.queue.owes(kept)) return 'owed_already';
  const owed = new Owed(letter.place.position, kept.lane, letter.attempts, facts.round);
  owed.redriven = redriven;
  return owed;
}
