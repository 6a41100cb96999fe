import type { FailedAttempt } from '../dispatch/owed.ts';
import type { JsonValue } from '../json.ts';
import { command, finding, moment } from './finding.ts';
import type { Standing } from './standing.ts';
import type { WhyFinding } from './why.ts';

const FULL_STOP = /\.$/;

export interface OwedFacts {
  /** What a person types to mean the subscription. */
  readonly called: string;
  readonly standing: Exclude<Standing, { at: 'settled' }>;
  /** Id of the event at `standing.head`. */
  readonly headId: string | undefined;
  readonly instance: string | undefined;
  readonly nowMs: number;
}

/** Where an event stands that is owed. */
export function owedFinding(facts: OwedFacts): WhyFinding {
  const { standing } = facts;
  switch (standing.at) {
    case 'under-way':
      return underWay(facts, standing);
    case 'owed':
      return retryWaits(facts, standing);
    case 'key':
      return standing.parked ? parked(facts, standing) : blocked(facts, standing);
    case 'waiting':
      return waiting(facts, standing);
  }
}

type At<Word extends Standing['at']> = Extract<Standing, { at: Word }>;

function underWay({ instance, called }: OwedFacts, { attempt, sinceMs, errors }: At<'under-way'>): WhyFinding {
  const since = sinceMs === undefined ? undefined : moment(sinceMs);
  const where = instance === undefined ? '' : ` at ${instance}`;
  const words = `Attempt ${attempt} is under way${where}${since === undefined ? '' : ` since ${since}`}.`;
  const get = command('subscriptions', 'get', called);
  const advice = { words: 'Wait for the receiver, or for the time of the attempt to be over.', command: get };
  return finding('under_way', words, { attempt, since, instance, errors: errorsJson(errors) }, advice);
}

function retryWaits({ nowMs, called }: OwedFacts, standing: At<'owed'>): WhyFinding {
  const { attempt, failures, dueAtMs, errors, isSuspect, round } = standing;
  const due = moment(dueAtMs);
  const last = errors.at(-1);
  const because = last
    ? `: ${last.message.replace(FULL_STOP, '')}`
    : isSuspect
      ? ': a process ended while it was under way'
      : '';
  const next = dueAtMs <= nowMs ? 'the next attempt begins when there is room' : `the next attempt is due at ${due}`;
  const words =
    attempt === 0
      ? `It was put back to be delivered again; ${next}.`
      : `Attempt ${attempt} ended without a delivery${because}; ${next}.`;
  const advice = last && {
    words: 'Mend the receiver; it is tried again by itself.',
    command: command('subscriptions', 'test', called),
  };
  return finding('retry_waits', words, { attempt, failures, dueAt: due, round, errors: errorsJson(errors) }, advice);
}

function parked({ called }: OwedFacts, { key, parked }: At<'key'>): WhyFinding {
  const { atMs, deadLetterId } = parked!;
  const since = moment(atMs);
  const words = `Its key ${key} is parked since ${since}, when an event before it became a dead letter; somebody has to release the key.`;
  const release = command('subscriptions', 'release', called, key);
  return finding('key_parked', words, { key, since, deadLetterId }, { words: 'Release the key.', command: release });
}

function blocked({ called, headId }: OwedFacts, { key, before }: At<'key'>): WhyFinding {
  const behind = headId === undefined ? 'an earlier event' : `the event ${headId}`;
  const words = `It waits for ${behind} of its key ${key}: events of one key come one after the other.`;
  const why = headId === undefined ? command('subscriptions', 'keys', called) : command('why', called, headId);
  return finding(
    'key_blocked',
    words,
    { key, behind: headId, before },
    { words: 'Ask why that one waits.', command: why },
  );
}

function waiting({ called }: OwedFacts, { before }: At<'waiting'>): WhyFinding {
  const get = command('subscriptions', 'get', called);
  return finding(
    'waiting',
    turnWords(before),
    { before },
    { words: 'Look how far the subscription is.', command: get },
  );
}

function turnWords(before: number | undefined): string {
  if (before === undefined) return 'It waits in the log for its turn.';
  if (before === 0) return 'It is the next of its lane.';
  return `It waits in its lane behind ${before === 1 ? 'another one' : `${before} others`}.`;
}

export function errorsJson(errors: readonly FailedAttempt[]): JsonValue {
  return errors.map(({ attempt, code, message, atMs }) => ({ attempt, at: moment(atMs), code, message }));
}
