/**
 * Why a subscription does not want an event, by its definition as it is now: in the order in which delivery finds it out,
 * with the tests that delivery makes.
 */
import type { ContextCell } from '../context/context-cell.ts';
import type { Position } from '../contracts/event-store.ts';
import { tellsOf } from '../dispatch/claim.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import { priorityName } from '../event/priority.ts';
import { explainFailure, type FilterFailure } from '../filter/explain-failure.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import { matchesPattern, parsePattern } from '../topic/pattern.ts';
import { calledBy, command, finding, moment } from './finding.ts';
import type { WhyFinding } from './why.ts';

export interface WantedFacts {
  readonly definition: SubscriptionDefinition;
  readonly kept: KeptEvent;
  /** Whom the subscriber works for. */
  readonly known: ContextCell;
  readonly limits: Limits;
  /** Where it went on when it was reset. */
  readonly resets: readonly { readonly to: Position }[];
}

/** Everything that keeps the event out; empty for one that is wanted. */
export function notWanted(facts: WantedFacts): WhyFinding[] {
  const found = [otherTopic(facts), beforeStart(facts), otherPriority(facts), aboutItself(facts), filtered(facts)];
  return found.filter((each) => each !== undefined);
}

function otherTopic({ definition, kept, limits }: WantedFacts): WhyFinding | undefined {
  if (matchesPattern(parsePattern(definition.topic, limits), kept.topic)) return undefined;
  const words = `The topic ${kept.topic} does not match the pattern ${definition.topic} of the subscription.`;
  const facts = { topic: kept.topic, pattern: definition.topic };
  const advice = {
    words: 'Change the pattern of the subscription, or the topic that is published to.',
    command: command('subscriptions', 'update', calledBy(definition), '{"topic":"PATTERN"}'),
  };
  return finding('topic_not_matched', words, facts, advice);
}

function beforeStart({ definition, kept, resets }: WantedFacts): WhyFinding | undefined {
  // What it was set back over it was owed once more.
  const isSetBack = resets.some(({ to }) => to < kept.position);
  if (isSetBack || !isBeforeStart(definition, kept)) return undefined;
  const { createdAtMs, options } = definition;
  const recordedAt = moment(kept.recordedAtMs);
  const from = typeof options.startFrom === 'string' ? options.startFrom : Object.keys(options.startFrom)[0]!;
  const words = `The event was recorded at ${recordedAt}, before the place in the log where the subscription began (startFrom: ${from}).`;
  const advice = {
    words: 'A subscription reads what was there before it with startFrom; one that exists goes on where it stands.',
    command: command('subscriptions', 'get', calledBy(definition)),
  };
  return finding(
    'before_start',
    words,
    { recordedAt, createdAt: moment(createdAtMs), startFrom: options.startFrom as JsonValue },
    advice,
  );
}

/** Definitions of earlier versions do not say where they began: then the times do, as well as they can. */
function isBeforeStart({ startsBehind, createdAtMs, options }: SubscriptionDefinition, kept: KeptEvent): boolean {
  if (startsBehind) return kept.position <= startsBehind.position;
  const { startFrom } = options;
  if (startFrom === 'latest') return kept.recordedAtMs < createdAtMs;
  return typeof startFrom === 'object' && 'timeMs' in startFrom && kept.recordedAtMs < startFrom.timeMs;
}

function otherPriority({ definition, kept }: WantedFacts): WhyFinding | undefined {
  const { priority } = definition.options;
  if (priority === undefined || kept.lane <= priority) return undefined;
  const [has, wants] = [priorityName(kept.lane), priorityName(priority)];
  const words = `The event has priority ${has}; the subscription wants ${wants} or more urgent (options.priority).`;
  const advice = {
    words: 'Ask for less urgent events, too.',
    command: command('subscriptions', 'update', calledBy(definition), `{"options":{"priority":"${has}"}}`),
  };
  return finding('priority_not_wanted', words, { priority: has, wanted: wants }, advice);
}

function aboutItself({ definition, kept }: WantedFacts): WhyFinding | undefined {
  if (!tellsOf(definition, kept)) return undefined;
  const words =
    'The event tells of this very subscription: the bus tells of it to all others, else it would answer itself for ever.';
  return finding('about_itself', words, { topic: kept.topic });
}

function filtered({ definition, kept, known }: WantedFacts): WhyFinding | undefined {
  const failure = explainFailure(definition.filter, kept.event, known);
  if (!failure) return undefined;
  return failure.isRelevance ? notRelevant(failure, definition, known) : otherContent(failure, definition);
}

function otherContent(failure: FilterFailure, definition: SubscriptionDefinition): WhyFinding {
  const words = `The filter keeps the event out: ${clauseWords(failure)}.`;
  const advice = {
    words: 'Change the filter; event-manager filters preview tries one on stored events before.',
    command: command('subscriptions', 'update', calledBy(definition), '{"filter":FILTER}'),
  };
  return finding('filter_not_matched', words, failureFacts(failure), advice);
}

function clauseWords({ clause, wanted, found, alternatives }: FilterFailure): string {
  if (alternatives) return `no alternative of ${clause} fits (${alternatives.map(clauseWords).join('; ')})`;
  const has = found === undefined ? 'the event has nothing there' : `the event has ${JSON.stringify(found)}`;
  return `${clause} wants ${JSON.stringify(wanted)}, ${has}`;
}

function failureFacts({ clause, wanted, found, alternatives }: FilterFailure): JsonObject {
  return {
    clause,
    wanted,
    ...(found === undefined ? {} : { found }),
    ...(alternatives ? { alternatives: alternatives.map(failureFacts) } : {}),
  };
}

function notRelevant(failure: FilterFailure, definition: SubscriptionDefinition, known: ContextCell): WhyFinding {
  const { subscriber, context: own } = definition;
  const { current } = known;
  const context = current && {
    userIds: [...current.userIds],
    projectIds: [...current.projectIds],
    sessionIds: [...current.sessionIds],
  };
  const has = failure.found === undefined ? 'names nobody' : `names ${JSON.stringify(failure.found)}`;
  const whom = context
    ? `the context ${own ? 'of the subscription' : `of ${subscriber}`} names others`
    : 'no context is registered, so an event only has to name somebody';
  const words = `The event is not relevant (${failure.clause}): it ${has}; ${whom}.`;
  const facts = { ...failureFacts(failure), registered: context !== undefined, context, subscriber };
  const isOwn = subscriber === undefined || own !== undefined;
  const look = isOwn ? command('subscriptions', 'get', calledBy(definition)) : command('contexts', 'get', subscriber);
  return finding('not_relevant', words, facts, {
    words: 'Look at the context, and register the right one.',
    command: look,
  });
}
