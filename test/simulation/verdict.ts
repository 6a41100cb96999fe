import type { DeadLetter } from '@event-manager/core';
import { checkHistory, type HistoryEntry, type HistoryReport } from '@event-manager/testing';
import { isOwed, type LivesFacts, notOwed, splitLives, subscriptionOf } from './lives.ts';
import type { Plan } from './plan.ts';
import { deliveriesOf, type SeenDelivery } from './seen-delivery.ts';

/** What the run knows beside the history. */
export interface RunFacts {
  readonly plan: Plan;
  readonly history: readonly HistoryEntry[];
  /** How often service of a subscription, by name, ended and began again: each may cost one window of duplicates. */
  readonly interruptions: (subscription: string) => number;
  readonly deadLetters: readonly DeadLetter[];
  /** Of these attempts, those whose process stood still, or a letter of it, before their time was over. */
  readonly cuts: (subscription: string, eventId: string) => number;
  /** Name of a subscription by id. */
  readonly nameOf: (subscriptionId: string) => string;
  /** The stored JSON of each event by id, as the log has it at the end. */
  readonly stored: ReadonlyMap<string, string>;
  /** Acknowledgements by a process whose store had failed. */
  readonly acknowledgedAfterFailure: number;
  readonly lives: LivesFacts;
}

export interface Verdict {
  readonly violations: readonly string[];
  readonly report: HistoryReport;
}

/** Holds a run against C1 to C5 and C7. */
export function judge(facts: RunFacts): Verdict {
  const ends = facts.deadLetters.flatMap((letter): HistoryEntry[] => {
    const subscription = facts.nameOf(letter.subscriptionId);
    // What died in an earlier life is no end of what is owed since.
    if (!isOfLastLife(letter, subscription, facts.lives)) return [];
    return [{ kind: 'end', subscription, id: letter.eventId, state: 'deadLettered' }];
  });
  const report = checkHistory([...splitLives(facts.history, facts.lives), ...ends]);
  const violations: string[] = [];
  if (report.lost > 0) violations.push(`C2 lost ${report.lost}: ${report.examples.lost.join(', ')}`);
  if (report.unexpected > 0)
    violations.push(`C3 unexpected ${report.unexpected}: ${report.examples.unexpected.join(', ')}`);
  if (report.attemptsRepeated > 0) violations.push(`C4 attempt numbers repeated ${report.attemptsRepeated}`);
  violations.push(...judgeDuplicates(facts, report), ...judgeLetters(facts), ...judgeSpending(facts));
  violations.push(...judgeOrder(facts, report), ...notOwed(facts.history, facts.lives));
  if (facts.acknowledgedAfterFailure > 0)
    violations.push(`C7 acknowledged after failure ${facts.acknowledgedAfterFailure}`);
  return { violations, report };
}

/** It was given up on since the subscription was reset last, and is owed since then. */
export function isOfLastLife({ eventId, round }: DeadLetter, subscription: string, lives: LivesFacts): boolean {
  const resets = lives.resets(subscription);
  const { firstRound = 0 } = resets.at(-1) ?? {};
  return isOwed(subscription, eventId, resets.length, lives) !== false && round >= firstRound;
}

/** Nothing was interrupted, so nothing but a retry may come out of order. */
function isCalm({ interruptions, plan }: RunFacts): boolean {
  return plan.subscriptions.every(({ name }) => interruptions(name) === 0);
}

/** Keys keep their order whatever is interrupted; lanes that of first attempts while nothing is. */
function judgeOrder(facts: RunFacts, report: HistoryReport): string[] {
  const isLaneOrderKept = isCalm(facts);
  return report.subscriptions.flatMap(({ subscription, inversions, parkedWentOn }) => {
    const plan = facts.plan.subscriptions.find(({ name }) => name === subscriptionOf(subscription))!;
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
  return plan.subscriptions.flatMap(({ name }) => {
    const lives = report.subscriptions.filter(({ subscription }) => subscriptionOf(subscription) === name);
    const duplicates = lives.reduce((sum, life) => sum + life.duplicates, 0);
    const allowed = interruptions(name) * plan.limits.inFlightMax;
    return duplicates <= allowed ? [] : [`C4 ${name} has ${duplicates} duplicates, allowed ${allowed}`];
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

/** What was answered in a life of a delivery: of several in one round, none but the last ended in a letter. */
export function saidIn(round: number, deliveries: readonly SeenDelivery[]): string[] {
  const inRound = deliveries.filter((delivery) => delivery.round === round);
  const last = Math.max(...inRound.map(({ resets }) => resets));
  return inRound.filter(({ resets }) => resets === last).map(({ answer }) => answer);
}

function countOf(said: readonly string[], kinds: readonly string[]): number {
  return said.filter((answer) => kinds.includes(answer)).length;
}

/** An event is given up for what its receiver said, or for crashes in the middle of it, and for nothing else. */
function judgeSpending({ plan, deadLetters, nameOf, history, cuts }: RunFacts): string[] {
  return deadLetters.flatMap(({ subscriptionId, eventId, round, errors }) => {
    const subscription = plan.subscriptions.find(({ name }) => name === nameOf(subscriptionId));
    if (!subscription) return [];
    const said = saidIn(round, deliveriesOf(history, subscription.name, eventId));
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
