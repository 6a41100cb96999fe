import type { WhyReason } from '@event-manager/core';

/** What was done with the event before anybody asks. */
export const STANDS = [
  'fresh',
  'retry',
  'under-way',
  'key-blocked',
  'key-parked',
  'lane',
  'delivered',
  'delivered-late',
  'dead-letter',
  'withdrawn',
] as const;
/** What holds the subscription back. */
export const HOLDS = [
  'nothing',
  'paused',
  'stopped',
  'detached',
  'not-pulled',
  'not-connected',
  'busy',
  'breaker',
  'rate',
  'debts',
] as const;
/** Why it is not wanted. */
export const MISMATCHES = ['topic', 'before-start', 'priority', 'filter', 'relevance'] as const;

export type Stand = (typeof STANDS)[number];
export type Hold = (typeof HOLDS)[number];
export type Mismatch = (typeof MISMATCHES)[number];

export interface Situation {
  readonly stand: Stand;
  readonly hold: Hold;
  readonly mismatches: readonly Mismatch[];
  readonly expired: boolean;
}

const OVER: ReadonlySet<Stand> = new Set(['delivered', 'delivered-late', 'dead-letter', 'withdrawn']);
/** What cannot be changed once an event was offered, or hides what a filter says. */
const NEVER_OFFERED: ReadonlySet<Mismatch> = new Set(['topic', 'before-start', 'priority']);

export function nameOf({ stand, hold, mismatches, expired }: Situation): string {
  return [stand, hold, ...mismatches, ...(expired ? ['expired'] : [])].join(' + ');
}

/** Everything that can be, alone, in pairs and beyond. */
export function allSituations(): Situation[] {
  const situations: Situation[] = [];
  const mismatches = [[], ...MISMATCHES.map((one) => [one]), ...pairsOf(MISMATCHES)];
  for (const stand of STANDS) {
    for (const hold of HOLDS) {
      for (const some of mismatches) {
        for (const expired of [false, true]) {
          const situation = { stand, hold, mismatches: some, expired };
          if (isPossible(situation)) situations.push(situation);
        }
      }
    }
  }
  return situations;
}

function isPossible({ stand, hold, mismatches, expired }: Situation): boolean {
  // One clause alone fails first: which of two, only the order of clauses says.
  if (mismatches.includes('filter') && mismatches.includes('relevance')) return false;
  if (stand === 'fresh') return true;
  // What was offered came behind the start; another pattern, priority or filter came afterwards, by a change.
  if (mismatches.includes('before-start')) return false;
  if (hold === 'not-pulled' || hold === 'debts') return false;
  if (OVER.has(stand)) {
    if (hold !== 'nothing' && hold !== 'paused') return false;
    if (stand === 'withdrawn') return mismatches.length === 1 && mismatches[0] === 'filter' && !expired;
    return !expired;
  }
  if (stand === 'under-way' || stand === 'lane') {
    // A change waits until nothing is under way; what primes a hold would have to pass what is.
    return mismatches.length === 0 && (hold === 'nothing' || hold === 'rate' || hold === 'not-connected');
  }
  if (mismatches.length > 0) return hold === 'nothing' || hold === 'paused' || hold === 'detached';
  return true;
}

export interface Expected {
  /** The reason, and what is told beside it, in this order. */
  readonly reasons: readonly WhyReason[];
  /** Absent where the oracle does not say. */
  readonly certain?: boolean;
}

const HOLD_REASONS: Readonly<Record<Exclude<Hold, 'nothing'>, WhyReason>> = {
  paused: 'paused',
  stopped: 'stopped',
  detached: 'not_attached',
  'not-pulled': 'not_pulled',
  'not-connected': 'not_connected',
  busy: 'receiver_paused',
  breaker: 'breaker_open',
  rate: 'rate_limited',
  debts: 'too_many_debts',
};
const MISMATCH_REASONS: Readonly<Record<Mismatch, WhyReason>> = {
  topic: 'topic_not_matched',
  'before-start': 'before_start',
  priority: 'priority_not_wanted',
  filter: 'filter_not_matched',
  relevance: 'not_relevant',
};
const STAND_REASONS: Readonly<Record<'fresh' | 'retry' | 'key-blocked' | 'key-parked' | 'lane', WhyReason>> = {
  fresh: 'waiting',
  retry: 'retry_waits',
  'key-blocked': 'key_blocked',
  'key-parked': 'key_parked',
  lane: 'waiting',
};

/** The same after a restart: whoever serves it then reads the events behind a blocked key, and ends those that have expired. */
export function oracleAfterRestart(situation: Situation): Expected {
  const isEnded = situation.stand === 'key-blocked' && situation.expired && situation.hold !== 'detached';
  return isEnded && situation.mismatches.length === 0 ? { reasons: ['expired'], certain: true } : oracle(situation);
}

/** The truth, by what was done: it knows nothing of queues, and shares no code with the product. */
export function oracle(situation: Situation): Expected {
  const { stand, hold, mismatches, expired } = situation;
  const first = mismatches.filter((one) => NEVER_OFFERED.has(one)).map((one) => MISMATCH_REASONS[one]);
  const second = mismatches.filter((one) => !NEVER_OFFERED.has(one)).map((one) => MISMATCH_REASONS[one]);
  const old: WhyReason[] = expired ? ['expired'] : [];
  const held: WhyReason[] = hold === 'nothing' ? [] : [HOLD_REASONS[hold]];
  if (stand === 'under-way') return { reasons: ['under_way', ...old, ...held] };
  if (OVER.has(stand)) return over(stand, [...first, ...second]);
  if (stand === 'fresh' && !isOwed(situation)) {
    if (mismatches.length > 0) return { reasons: [...first, ...second, ...old], certain: true };
    // With nothing in its way it is delivered before it expires.
    return { reasons: ['delivered'] };
  }
  if (stand === 'retry' && expired && hold === 'nothing') return { reasons: ['expired', ...first, ...second] };
  // A change reads the events behind a blocked key again and lets go of what is not wanted any more; nothing tells of it afterwards.
  if (stand === 'key-blocked' && mismatches.length > 0)
    return { reasons: [...first, ...second, ...old], certain: false };
  const stands = STAND_REASONS[stand as keyof typeof STAND_REASONS];
  // What is passed over when its turn comes does not wait for it.
  const waits = stands === 'waiting' && first.length + old.length + second.length > 0 ? [] : [stands];
  return { reasons: [...first, ...old, ...second, ...held, ...waits], certain: true };
}

function over(stand: Stand, mismatches: readonly WhyReason[]): Expected {
  switch (stand) {
    case 'delivered':
      // It has no record, so what the changed definition says stands there, and that it may have been otherwise.
      return mismatches.length > 0
        ? { reasons: mismatches, certain: false }
        : { reasons: ['delivered'], certain: true };
    case 'delivered-late':
      return { reasons: ['delivered', ...mismatches], certain: true };
    case 'dead-letter':
      return { reasons: ['dead_letter', ...mismatches], certain: true };
    default:
      return { reasons: ['withdrawn', ...mismatches], certain: true };
  }
}

/** A fresh event is owed when something holds it and it was offered; where nobody serves, nobody looked at it at all. */
function isOwed({ hold, mismatches }: Situation): boolean {
  if (hold === 'nothing') return false;
  if (mismatches.includes('before-start')) return false;
  return hold === 'detached' || !mismatches.some((one) => NEVER_OFFERED.has(one));
}

function pairsOf<Item>(items: readonly Item[]): Item[][] {
  return items.flatMap((one, at) => items.slice(at + 1).map((other) => [one, other]));
}
