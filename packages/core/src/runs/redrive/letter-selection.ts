import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import type { StoredEvent } from '../../event/encode-event.ts';
import { compilePatterns } from '../../topic/compile-patterns.ts';
import { errorFingerprint } from './error-fingerprint.ts';

/** Which dead letters are meant. Fields are ANDed; the entries of a list are ORed. Times are those when the letters were made. */
export interface LetterSelection {
  readonly ids?: readonly string[];
  readonly subscriptionIds?: readonly string[];
  /** Codes of the last error. */
  readonly errorCodes?: readonly string[];
  readonly fingerprints?: readonly string[];
  /** Topic pattern. */
  readonly topic?: string;
  /** Patterns over the event type. */
  readonly types?: readonly string[];
  readonly correlationId?: string;
  readonly userId?: string;
  readonly projectId?: string;
  /** Made at or after, milliseconds since 1970. */
  readonly fromMs?: number;
  /** Made before, milliseconds since 1970. */
  readonly toMs?: number;
  /** Ids of letters that are not meant all the same. */
  readonly except?: readonly string[];
  /** Of letters in another state than `open` nothing can be redriven or discarded, but superseded ones by their ids. */
  readonly state?: DeadLetter['state'];
}

/** Makes the test for one selection. The letter itself is looked at first; its event is read only for the rest. */
export function compileSelection(selection: LetterSelection): (letter: DeadLetter) => boolean {
  const { ids, subscriptionIds, errorCodes, fingerprints, except, state } = selection;
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = selection;
  const [isMeant, isOf, hasCode, hasFingerprint] = [ids, subscriptionIds, errorCodes, fingerprints].map(isOneOf);
  const isLeftOut = isOneOf(except ?? []);
  const matchesEvent = compileEventPart(selection);
  return (letter) =>
    (state === undefined || letter.state === state) &&
    letter.deadAtMs >= fromMs &&
    letter.deadAtMs < toMs &&
    isOf!(letter.subscriptionId) &&
    isMeant!(letter.id) &&
    !isLeftOut(letter.id) &&
    (errorCodes === undefined || hasCode!(letter.errors.at(-1)?.code ?? '')) &&
    (fingerprints === undefined || hasFingerprint!(errorFingerprint(letter).fingerprint)) &&
    (matchesEvent === undefined || matchesEvent(JSON.parse(letter.event) as StoredEvent));
}

function isOneOf(values: readonly string[] | undefined): (value: string) => boolean {
  if (values === undefined) return () => true;
  const known = new Set(values);
  return (value) => known.has(value);
}

/** The part that needs the event; `undefined` when the selection asks for nothing in it. */
function compileEventPart(selection: LetterSelection): ((event: StoredEvent) => boolean) | undefined {
  const { topic, types, correlationId, userId, projectId } = selection;
  const asked = [topic, types, correlationId, userId, projectId];
  if (asked.every((field) => field === undefined)) return undefined;
  const matchesTopic = topic === undefined ? () => true : compilePatterns([topic]);
  const matchesType = types === undefined ? () => true : compilePatterns(types);
  return (event) =>
    (correlationId === undefined || event.correlationId === correlationId) &&
    (userId === undefined || event.metadata.userId === userId) &&
    (projectId === undefined || event.metadata.projectId === projectId) &&
    matchesType(event.type) &&
    matchesTopic(event.topic);
}
