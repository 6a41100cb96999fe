import type { JsonObject } from '../json.ts';

/**
 * Why an event did or did not come to a subscription, one word for each cause, and what that means for it. The words are stable
 * within a major version; `docs/guides/an-event-did-not-arrive.md` explains all of them.
 */
export const WHY_REASONS = {
  delivered: 'delivered',
  dead_letter: 'given-up',
  discarded: 'given-up',
  expired: 'given-up',
  withdrawn: 'given-up',
  removed: 'given-up',
  lost: 'given-up',
  topic_not_matched: 'not-wanted',
  before_start: 'not-wanted',
  priority_not_wanted: 'not-wanted',
  about_itself: 'not-wanted',
  not_relevant: 'not-wanted',
  filter_not_matched: 'not-wanted',
  stopped: 'owed',
  paused: 'owed',
  not_attached: 'owed',
  unserved: 'owed',
  not_connected: 'owed',
  not_pulled: 'owed',
  receiver_paused: 'owed',
  breaker_open: 'owed',
  rate_limited: 'owed',
  too_many_debts: 'owed',
  key_parked: 'owed',
  key_blocked: 'owed',
  retry_waits: 'owed',
  under_way: 'owed',
  waiting: 'owed',
  scheduled: 'not-published',
  rejected: 'not-published',
  unknown_event: 'unknown',
} as const;

export type WhyReason = keyof typeof WHY_REASONS;
export type WhyStatus = (typeof WHY_REASONS)[WhyReason];

/** One cause, with what can be done about it. */
export interface WhyFinding {
  readonly reason: WhyReason;
  /** A sentence for people; any version may say it better. */
  readonly words: string;
  /** What may be done about it, and the command that does it. */
  readonly advice?: WhyAdvice;
  /** What the sentence says, for programs. Times are RFC 3339. */
  readonly facts: JsonObject;
}

export interface WhyAdvice {
  readonly words: string;
  readonly command?: string;
}

export const WHY_STEPS = [
  'published',
  'recorded',
  'begun',
  'failed',
  'due',
  'delivered',
  'dead-letter',
  'redriven',
  'discarded',
  'expires',
  'expired',
  'withdrawn',
] as const;

/** One step in the life of the delivery. */
export interface WhyStep {
  /** RFC 3339. */
  readonly at: string;
  readonly what: (typeof WHY_STEPS)[number];
  readonly attempt?: number;
  readonly error?: { readonly code: string; readonly message: string };
  /** The process that settled it, or whoever redrove or discarded it. */
  readonly by?: string;
}

/** What became of one event at one subscription, and why. */
export interface Why extends WhyFinding {
  readonly subscriptionId: string;
  readonly eventId: string;
  readonly status: WhyStatus;
  /** False where what is kept does not tell it for sure; `note` says what is assumed. */
  readonly certain: boolean;
  readonly note?: string;
  /** What holds besides: if the reason went, these would still keep the event back. */
  readonly also: readonly WhyFinding[];
  /** The event, where it is kept. */
  readonly event?: WhyEvent;
  /** In the order of time. */
  readonly timeline: readonly WhyStep[];
}

export interface WhyEvent {
  readonly topic: string;
  readonly type: string;
  readonly priority: string;
  readonly recordedAt: string;
}
