/**
 * Puts together why an event did or did not come, out of what is known of it. Which of several causes is the reason:
 *
 *     it is over       what the records say; without any: what the definition, as it is now, does not want; else delivered
 *     it is under way  that
 *     it is owed       what is not wanted ─▶ expired ─▶ what holds the subscription ─▶ what holds the event ─▶ its turn
 *
 * Of those that are before it in this order each would have to go first: an event that the filter keeps out does not come
 * whether or not the subscription is paused. The others are told beside it.
 */
import type { KeptEvent } from '../dispatch/kept-event.ts';
import { priorityName } from '../event/priority.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import { type Evidence, endedBy, failedSteps, ofThisLife, stepsOf } from './evidence.ts';
import { finding, moment } from './finding.ts';
import type { Standing } from './standing.ts';
import { WHY_REASONS, type Why, type WhyEvent, type WhyFinding, type WhyStep } from './why.ts';

export interface WhyFacts {
  readonly definition: SubscriptionDefinition;
  readonly kept: KeptEvent;
  readonly standing: Standing;
  readonly evidence: Evidence;
  /** By the definition as it is now. */
  readonly notWanted: readonly WhyFinding[];
  /** What holds the subscription back; not asked where nothing is owed. */
  readonly holds: readonly WhyFinding[];
  /** Where it stands; not asked where nothing is owed. */
  readonly owed: WhyFinding | undefined;
  /** The process that serves it and does not answer. */
  readonly unheard: string | undefined;
  readonly nowMs: number;
  /** For so long records of deliveries are kept, milliseconds. */
  readonly keptForMs: number;
}

interface Verdict {
  readonly findings: readonly WhyFinding[];
  readonly certain: boolean;
  readonly note?: string;
}

export function explain(facts: WhyFacts): Why {
  const { definition, kept, owed } = facts;
  const { findings, certain, note } = owed ? whyOwed(facts, owed) : whyOver(facts);
  const [reason, ...also] = findings;
  return {
    subscriptionId: definition.id,
    eventId: kept.id,
    status: WHY_REASONS[reason!.reason],
    ...reason!,
    certain,
    ...(note === undefined ? {} : { note }),
    also,
    event: eventOf(kept),
    timeline: timelineOf(facts),
  };
}

function whyOwed(facts: WhyFacts, owed: WhyFinding): Verdict {
  const { notWanted, holds, standing, unheard } = facts;
  const [early, late] = [notWanted.filter(isFirst), notWanted.filter((each) => !isFirst(each))];
  const back = [...early, ...expired(facts), ...late, ...holds];
  // What is not wanted, or has expired, is passed over when its turn comes: it waits for nothing.
  const isOut = back.length > holds.length && owed.reason === 'waiting';
  const findings = standing.at === 'under-way' ? [owed, ...back] : isOut ? back : [...back, owed];
  if (unheard === undefined) return { findings, certain: true };
  const note = `This is what is durable: where the event stands now only the process ${unheard} knows, which does not answer.`;
  return { findings, certain: false, note };
}

/** What keeps an event out before anybody looks whether it has expired. */
function isFirst({ reason }: WhyFinding): boolean {
  return reason === 'topic_not_matched' || reason === 'before_start' || reason === 'priority_not_wanted';
}

function whyOver(facts: WhyFacts): Verdict {
  const { evidence, notWanted, definition, kept } = facts;
  const end = endedBy(evidence);
  if (end) return { findings: [end, ...notWanted], certain: true };
  const definedAtMs =
    definition.definedAtMs ?? (definition.startsBehind ? definition.createdAtMs : definition.updatedAtMs);
  const isChanged = definedAtMs > kept.recordedAtMs && definedAtMs > definition.createdAtMs;
  const changed = `The subscription was changed at ${moment(definedAtMs)}, after the event was recorded; what it wanted before is not kept.`;
  if (notWanted.length > 0) {
    const isSure = !isChanged || notWanted[0]!.reason === 'before_start';
    return { findings: [...notWanted, ...expired(facts)], certain: isSure, ...(isSure ? {} : { note: changed }) };
  }
  const words = 'It was delivered at attempt 1; the time is not kept.';
  const delivered = finding('delivered', words, { attempts: 1 });
  const note = isChanged ? changed : doubtOf(facts);
  return { findings: [delivered], certain: note === undefined, ...(note === undefined ? {} : { note }) };
}

/** Without a record a delivery was one at the first attempt, as long as every other one has a record. */
function doubtOf({ definition, kept, evidence, nowMs, keptForMs }: WhyFacts): string | undefined {
  const reset = evidence.resets.findLast(({ to, atMs }) => to >= kept.position && atMs >= kept.recordedAtMs);
  if (reset) {
    return `The subscription was reset at ${moment(reset.atMs)} by ${reset.by}, to go on behind this event: what it was owed of it then was dropped.`;
  }
  if (ofThisLife(evidence).letters.length > 0)
    return 'It was a dead letter that was put back; the record of what followed is not kept any more.';
  if (definition.options.deliveryLog === 'off') {
    return 'The subscription keeps no records of deliveries (deliveryLog: off): it may have taken more attempts, or have expired.';
  }
  if (nowMs - kept.recordedAtMs <= keptForMs && expiryOf(kept) === undefined) return undefined;
  return 'No record of it is kept, as of all that are delivered at once; those of others are kept for a time.';
}

function expired({ kept, nowMs }: WhyFacts): WhyFinding[] {
  const atMs = expiryOf(kept);
  if (atMs === undefined || atMs > nowMs) return [];
  const at = moment(atMs);
  const advice = { words: 'Publish with a later metadata.expiresAt, or make the receiver faster.' };
  return [
    finding('expired', `It expired at ${at} (metadata.expiresAt), so it is not delivered any more.`, { at }, advice),
  ];
}

function expiryOf({ event }: KeptEvent): number | undefined {
  return event.metadata.expiresAt?.getTime();
}

export function eventOf({ topic, event, lane, recordedAtMs }: KeptEvent): WhyEvent {
  return { topic, type: event.type, priority: priorityName(lane), recordedAt: moment(recordedAtMs) };
}

function timelineOf({ kept, evidence, standing, nowMs }: WhyFacts): WhyStep[] {
  const steps: WhyStep[] = [
    { at: kept.event.timestamp.toISOString(), what: 'published' },
    { at: moment(kept.recordedAtMs), what: 'recorded' },
    ...stepsOf(evidence),
  ];
  if (standing.at === 'owed' || standing.at === 'under-way') steps.push(...failedSteps(standing.errors));
  if (standing.at === 'owed' && standing.dueAtMs > nowMs) {
    steps.push({ at: moment(standing.dueAtMs), what: 'due', attempt: standing.attempt + 1 });
  }
  if (standing.at === 'under-way' && standing.sinceMs !== undefined) {
    steps.push({ at: moment(standing.sinceMs), what: 'begun', attempt: standing.attempt });
  }
  const expiresMs = expiryOf(kept);
  if (expiresMs !== undefined) steps.push({ at: moment(expiresMs), what: 'expires' });
  return steps.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
