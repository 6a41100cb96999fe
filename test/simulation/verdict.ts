import type { DeadLetter } from '@event-manager/core';
import { checkHistory, type HistoryEntry, type HistoryReport } from '@event-manager/testing';
import type { Plan } from './plan.ts';

/** What the run knows beside the history. */
export interface RunFacts {
  readonly plan: Plan;
  readonly history: readonly HistoryEntry[];
  /** How often service of a subscription, by name, ended and began again: each may cost one window of duplicates. */
  readonly interruptions: (subscription: string) => number;
  readonly deadLetters: readonly DeadLetter[];
  /** How the receiver of a subscription, by name, answered for an event, in order. */
  readonly answers: (subscription: string, eventId: string) => readonly string[];
  /** Of these attempts, those whose process stood still, or a letter of it, before their time was over. */
  readonly cuts: (subscription: string, eventId: string) => number;
  /** Name of a subscription by id. */
  readonly nameOf: (subscriptionId: string) => string;
  /** The stored JSON of each event by id, as the log has it at the end. */
  readonly stored: ReadonlyMap<string, string>;
  /** Acknowledgements by a process whose store had failed. */
  readonly acknowledgedAfterFailure: number;
}

export interface Verdict {
  readonly violations: readonly string[];
  readonly report: HistoryReport;
}

/** Holds a run against C1 to C5 and C7. */
export function judge(facts: RunFacts): Verdict {
  const ends = facts.deadLetters.map((letter): HistoryEntry => {
    const subscription = facts.nameOf(letter.subscriptionId);
    return { kind: 'end', subscription, id: letter.eventId, state: 'deadLettered' };
  });
  const report = checkHistory([...facts.history, ...ends]);
  const violations: string[] = [];
  if (report.lost > 0) violations.push(`C2 lost ${report.lost}: ${report.examples.lost.join(', ')}`);
  if (report.unexpected > 0)
    violations.push(`C3 unexpected ${report.unexpected}: ${report.examples.unexpected.join(', ')}`);
  if (report.attemptsRepeated > 0) violations.push(`C4 attempt numbers repeated ${report.attemptsRepeated}`);
  violations.push(...judgeDuplicates(facts, report), ...judgeLetters(facts), ...judgeSpending(facts));
  violations.push(...judgeOrder(facts, report));
  if (facts.acknowledgedAfterFailure > 0)
    violations.push(`C7 acknowledged after failure ${facts.acknowledgedAfterFailure}`);
  return { violations, report };
}

/** Nothing was interrupted, so nothing but a retry may come out of order. */
function isCalm({ interruptions, plan }: RunFacts): boolean {
  return plan.subscriptions.every(({ name }) => interruptions(name) === 0);
}

/** Keys keep their order whatever is interrupted; lanes that of first attempts while nothing is. */
function judgeOrder(facts: RunFacts, report: HistoryReport): string[] {
  const isLaneOrderKept = isCalm(facts);
  return report.subscriptions.flatMap(({ subscription, inversions, parkedWentOn }) => {
    const plan = facts.plan.subscriptions.find(({ name }) => name === subscription)!;
    const isOrdered = Object.values(plan.traits).some(({ order }) => order !== undefined);
    const violations: string[] = [];
    if (inversions > 0 && (isOrdered || isLaneOrderKept)) {
      violations.push(`C5 ${subscription} has ${inversions} inversions: ${report.examples.inversions.join(', ')}`);
    }
    if (parkedWentOn > 0) violations.push(`C5 ${subscription} went on with ${parkedWentOn} parked keys`);
    return violations;
  });
}

function judgeDuplicates({ plan, interruptions }: RunFacts, report: HistoryReport): string[] {
  return report.subscriptions.flatMap((subscription) => {
    const allowed = interruptions(subscription.subscription) * plan.limits.inFlightMax;
    if (subscription.duplicates <= allowed) return [];
    return [`C4 ${subscription.subscription} has ${subscription.duplicates} duplicates, allowed ${allowed}`];
  });
}

function judgeLetters({ deadLetters, stored }: RunFacts): string[] {
  return deadLetters
    .filter((letter) => stored.has(letter.eventId) && stored.get(letter.eventId) !== letter.event)
    .map((letter) => `C3 the dead letter of ${letter.eventId} has other bytes than the log`);
}

const FAILURES = ['fail', 'hang', 'late', 'unreached'];
/** A function of the process has no other word for it. */
const FAILURES_OF_HANDLERS = [...FAILURES, 'busy'];

function countOf(said: readonly string[], kinds: readonly string[]): number {
  return said.filter((answer) => kinds.includes(answer)).length;
}

/** An event is given up for what its receiver said, or for crashes in the middle of it, and for nothing else. */
function judgeSpending({ plan, deadLetters, nameOf, answers, cuts }: RunFacts): string[] {
  return deadLetters.flatMap(({ subscriptionId, eventId, errors }) => {
    const subscription = plan.subscriptions.find(({ name }) => name === nameOf(subscriptionId));
    if (!subscription) return [];
    const said = answers(subscription.name, eventId);
    const died = errors.filter(({ code }) => code === 'process_died').length;
    const failures = subscription.via === 'handler' ? FAILURES_OF_HANDLERS : FAILURES;
    // Of a process that stood still, with the answer or with the letter that tells of it, it is not known yet when the time is over.
    const slow = errors.filter(({ code }) => code === 'timeout').length - countOf(said, ['hang', 'late']);
    const spent = died + countOf(said, failures) + Math.max(0, Math.min(slow, cuts(subscription.name, eventId)));
    const isSkipped = Object.values(subscription.traits).some(({ order }) => order?.onFailure === 'skip');
    const isRefused = said.includes('reject') || said.includes('gone');
    if (isRefused || spent > (isSkipped ? 0 : subscription.maxRetries)) return [];
    const words = `${spent} of ${subscription.maxRetries + 1} attempts`;
    return [`C2 ${subscription.name} gave up ${eventId} after ${words}: ${said.join(', ')}`];
  });
}
