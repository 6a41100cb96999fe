/** What is kept of a delivery that is over: its record, its dead letter, and what retention removed of the subscription. */
import type { Position } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import { type DeadLetter, deadLetterKey } from '../dispatch/dead-letter.ts';
import { type DeliveryRecord, deliveryRecordKey } from '../dispatch/delivery-log.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import type { FailedAttempt } from '../dispatch/owed.ts';
import { RedrivenEvent, redrivenOf } from '../dispatch/redriven.ts';
import { queueKeys } from '../dispatch/serve.ts';
import { resetAuditKey } from '../dispatch/superseded.ts';
import { decodeCursor } from '../query/cursor.ts';
import type { RemovedRange } from '../retention/removal-record.ts';
import { readRemovals } from '../retention/remove-debts.ts';
import { statePages } from '../state-pages.ts';
import type { KeptReset } from '../subscription/resets.ts';
import { command, finding, moment } from './finding.ts';
import { errorsJson } from './owed-finding.ts';
import type { WhyFinding, WhyStep } from './why.ts';

/** Dead letters of one event at one subscription: one for each time that it was put back. */
const LETTERS_MAX = 20;
/** Dead letters of a subscription that are looked through for an event that is gone. */
const LOOKED_MAX = 1_000;
const LOOKED_AT_ONCE = 20;
const NOTHING = { removed: undefined, resets: [], setBack: [] } as const;

export interface Evidence {
  readonly record: DeliveryRecord | undefined;
  /** The oldest first. */
  readonly letters: readonly DeadLetter[];
  readonly removed: RemovedRange | undefined;
  /** Resets of the subscription, the oldest first. */
  readonly resets: readonly Moved[];
  /** Those that had it owe the event once more. */
  readonly setBack: readonly Moved[];
}

/** Somebody had the subscription go on elsewhere in the log. */
export interface Moved {
  /** It went on behind this place. */
  readonly to: Position;
  readonly atMs: number;
  readonly by: string;
  /** Deliveries began in this round then; absent where that is not known. */
  readonly firstRound?: number | undefined;
}

export async function loadEvidence(state: StateStore, subscriptionId: string, kept: KeptEvent): Promise<Evidence> {
  const { place, position } = kept;
  const [record] = await state.get('attempt', [deliveryRecordKey(subscriptionId, place.partition, position)]);
  const prefix = deadLetterKey(subscriptionId, place, 0).slice(0, -1);
  const { entries } = await state.load('dead-letter', { prefix, limit: LETTERS_MAX });
  const letters = entries.map(({ value }) => value as unknown as DeadLetter).sort((a, b) => a.round - b.round);
  const { progress } = queueKeys(subscriptionId, place.partition);
  const removals = await readRemovals(state, progress);
  const removed = removals?.ranges.find(({ from, through }) => from <= position && position <= through);
  const resets = await loadResets(state, subscriptionId);
  const setBack = resets.filter(({ to }) => to < position);
  return { record: record?.value as unknown as DeliveryRecord | undefined, letters, removed, resets, setBack };
}

async function loadResets(state: StateStore, subscriptionId: string): Promise<readonly Moved[]> {
  const [audit] = await state.get('audit', [resetAuditKey(subscriptionId)]);
  const { resets = [] } = (audit?.value ?? {}) as unknown as { readonly resets?: readonly KeptReset[] };
  return resets.map(({ to, atMs, by, firstRound }) => ({
    to: decodeCursor(to)[0]?.position ?? 0,
    ...{ atMs, by, firstRound },
  }));
}

/** The same for an event that the log has no more: records and letters outlive it. */
export async function findEvidence(state: StateStore, subscriptionId: string, eventId: string): Promise<Evidence> {
  const prefix = `${subscriptionId}/`;
  for await (const page of statePages(state, 'attempt', prefix)) {
    const found = page.find(({ value }) => isOf(value, eventId));
    if (!found) continue;
    const { entries } = await state.load('dead-letter', { prefix: `${found.key}/`, limit: LETTERS_MAX });
    const record = found.value as unknown as DeliveryRecord;
    return { record, letters: entries.map(({ value }) => value as unknown as DeadLetter), ...NOTHING };
  }
  return { record: undefined, letters: await findLetters(state, prefix, eventId), ...NOTHING };
}

/** A letter has the whole event with it, so few are read at once, and not all there may be. */
async function findLetters(state: StateStore, prefix: string, eventId: string): Promise<readonly DeadLetter[]> {
  let after: string | undefined;
  for (let looked = 0; looked < LOOKED_MAX; looked += LOOKED_AT_ONCE) {
    const options = { prefix, limit: LOOKED_AT_ONCE, ...(after === undefined ? {} : { after }) };
    const { entries, next } = await state.load('dead-letter', options);
    const letters = entries.flatMap(({ value }) => (isOf(value, eventId) ? [value as unknown as DeadLetter] : []));
    if (letters.length > 0 || next === undefined) return letters;
    after = next;
  }
  return [];
}

function isOf(value: unknown, eventId: string): boolean {
  return (value as { readonly eventId?: unknown }).eventId === eventId;
}

/** The event of a delivery that somebody took up again, as it is delivered; `undefined` where nobody did. */
export function redrivenEvent({ letters }: Evidence): KeptEvent | undefined {
  const letter = letters.at(-1);
  const { closed } = letter ?? {};
  if (letter?.state !== 'redriven' || !closed) return undefined;
  return new RedrivenEvent(redrivenOf(letter, closed));
}

/** What the records say of a delivery that is over; `undefined` where they say nothing. */
export function endedBy(evidence: Evidence): WhyFinding | undefined {
  const { removed } = evidence;
  const { record, letters } = ofThisLife(evidence);
  const letter = letters.at(-1);
  if (letter && letter.state !== 'redriven' && letter.round >= (record?.round ?? 0)) return buried(letter, record?.by);
  if (record && record.end !== 'dead-letter' && record.round >= (letter?.round ?? 0)) return recorded(record);
  if (removed) return removedBy(removed);
  return undefined;
}

/** Without what became of the event before the subscription was reset over it: since then it owed it once more. */
export function ofThisLife({ record, letters, setBack }: Evidence): Pick<Evidence, 'record' | 'letters'> {
  const isBefore = (round: number, endedAtMs: number) =>
    setBack.some(({ firstRound, atMs }) => (firstRound === undefined ? endedAtMs <= atMs : round < firstRound));
  // Where no letter was in the way its round is the one that deliveries begin with, before the reset and since.
  const isOld = record && setBack.some(({ firstRound = 0, atMs }) => record.round < firstRound || record.atMs <= atMs);
  return {
    record: isOld ? undefined : record,
    letters: letters.filter(({ round, deadAtMs }) => !isBefore(round, deadAtMs)),
  };
}

function recorded({ end, attempts, atMs, by, errors, round }: DeliveryRecord): WhyFinding {
  const at = moment(atMs);
  const facts = { at, attempts, by, round, errors: errorsJson(errors) };
  if (end === 'delivered') {
    return finding('delivered', `It was delivered at ${at}, at attempt ${attempts}, by ${by}.`, facts);
  }
  const tried = attempts === 0 ? 'before a first attempt' : `after ${attempts} attempts`;
  if (end === 'expired') {
    return finding('expired', `It expired ${tried}, which was found at ${at}.`, facts, {
      words: 'Publish with a later metadata.expiresAt, or make the receiver faster.',
    });
  }
  const words = `It was withdrawn ${tried}, at ${at}: the subscription was changed and does not want it any more.`;
  return finding('withdrawn', words, facts);
}

function buried(letter: DeadLetter, by: string | undefined): WhyFinding {
  const { id, attempts, deadAtMs, reason, errors, round, state, closed } = letter;
  const at = moment(deadAtMs);
  const facts = { deadLetterId: id, at, attempts, round, reason, by, errors: errorsJson(errors) };
  if (state === 'discarded') {
    const when = closed ? `at ${moment(closed.atMs)} ${closed.by} discarded it` : 'somebody discarded that';
    const discarded = closed && { discardedAt: moment(closed.atMs), discardedBy: closed.by, note: closed.note };
    return finding('discarded', `It became the dead letter ${id} at ${at}, and ${when}.`, { ...facts, ...discarded });
  }
  const words = `It became a dead letter at ${at}, after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${reason}`;
  const advice = {
    words: 'Look at the letter; when the receiver is mended, redrive it.',
    command: command('dead-letters', 'redrive', id),
  };
  return finding('dead_letter', words, facts, advice);
}

function removedBy({ from, through, count, atMs }: RemovedRange): WhyFinding {
  const words = `Retention removed it at ${moment(atMs)} while it was still owed, with ${count - 1} others.`;
  const advice = { words: 'Let retention keep what is owed for longer: see docs/retention.md.' };
  return finding('removed', words, { from, through, count, at: moment(atMs) }, advice);
}

/** The steps that the records tell of. */
export function stepsOf({ record, letters }: Evidence): WhyStep[] {
  const steps: WhyStep[] = [];
  for (const { errors, deadAtMs, attempts, state, closed } of letters) {
    steps.push(...failedSteps(errors));
    steps.push({ at: moment(deadAtMs), what: 'dead-letter', attempt: attempts });
    if (closed && state !== 'open' && state !== 'superseded')
      steps.push({ at: moment(closed.atMs), what: state, by: closed.by });
  }
  if (!record) return steps;
  const { end, errors, attempts, atMs, by } = record;
  if (end === 'dead-letter') {
    const last = steps.findLastIndex(({ what }) => what === 'dead-letter');
    return steps.map((step, at) => (at === last ? { ...step, by } : step));
  }
  return [...steps, ...failedSteps(errors), { at: moment(atMs), what: end, attempt: attempts, by }];
}

export function failedSteps(errors: readonly FailedAttempt[]): WhyStep[] {
  return errors.map(({ attempt, atMs, code, message }) => ({
    at: moment(atMs),
    what: 'failed',
    attempt,
    error: { code, message },
  }));
}
