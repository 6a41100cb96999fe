import type { Place, Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { EventIn } from '../event/event.ts';
import { DEAD_LETTER } from '../event/flags.ts';
import { foreignEventId } from '../event/foreign-event-id.ts';
import { priorityName } from '../event/priority.ts';
import { utf8Text } from '../json/utf8-text.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import type { KeptEvent } from './kept-event.ts';
import type { FailedAttempt } from './owed.ts';
import type { Redriven } from './redriven.ts';

/** `superseded`: a reset had the subscription owe the event once more. It is kept as `open`; see `superseded.ts`. */
export type LetterState = 'open' | 'redriven' | 'discarded' | 'superseded';

/** A delivery given up on, with its reasons and the event's bytes: it outlives the event's retention. */
export interface DeadLetter {
  /** UUID; the same delivery and round always have the same one. */
  readonly id: string;
  readonly state: LetterState;
  readonly subscriptionId: string;
  readonly eventId: string;
  readonly place: Place;
  /** 0 for the first life of the debt; a redrive adds one, and a reset begins behind all that were before. */
  readonly round: number;
  readonly attempts: number;
  /** The last error in words. */
  readonly reason: string;
  readonly errors: readonly FailedAttempt[];
  /** Wall clock, milliseconds since 1970. */
  readonly deadAtMs: number;
  /** The event's stored JSON, byte for byte: as it was published, unless it is `edited`. */
  readonly event: string;
  /** When the event was recorded: wall clock, milliseconds since 1970. */
  readonly recordedAtMs?: number;
  /** Facts about the event that its store kept beside it: see `event/flags.ts`. */
  readonly flags?: number;
  /** The letter that was redriven and died again as this one, and by which redrive that was. */
  readonly redriven?: {
    readonly letterId: string;
    readonly runId: string;
    /** How often it was redriven by then; absent where that is `round`. */
    readonly redrives?: number;
  };
  /** Its payload was edited when an earlier letter was redriven. */
  readonly edited?: true;
  /** Since when and by whose reset it is superseded; by nobody's where the subscription was made again. */
  readonly superseded?: { readonly atMs: number; readonly by?: string };
  /** Who redrove or discarded it. */
  readonly closed?: ClosedLetter;
}

/** That somebody redrove or discarded a letter. */
export interface ClosedLetter {
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** The id of a principal. */
  readonly by: string;
  /** The redrive or discard. */
  readonly runId: string;
  /** Why, in their words. */
  readonly note?: string;
  /** What is delivered in place of `event`, where that was edited. */
  readonly event?: string;
  /** The round in which it is delivered, where that is not the next one: letters of other lives of the delivery were in the way. */
  readonly round?: number;
}

/** Digits that hold every position, so that keys sort as numbers do. */
const POSITION_DIGITS = 16;

export function positionKey(position: Position): string {
  return String(position).padStart(POSITION_DIGITS, '0');
}

/** Key of the letter in its kind. */
export function deadLetterKey(subscriptionId: string, place: Place, round: number): string {
  return `${subscriptionId}/${place.partition}/${positionKey(place.position)}/${round}`;
}

/**
 * The changes that make a delivery a dead letter: the letter, and for a subscription with a `deadLetterTopic` the event
 * that tells of it, as a schedule record that is appended to the log after the commit. Its id follows from the letter's,
 * so appending it again after a crash is answered as a duplicate.
 */
export function deadLetterChanges(facts: {
  definition: SubscriptionDefinition;
  kept: KeptEvent;
  attempts: number;
  round: number;
  errors: readonly FailedAttempt[];
  atMs: number;
  /** It was taken up again before. */
  redriven?: Redriven | undefined;
}): StateChange[] {
  const { definition, kept, attempts, round, errors, atMs, redriven } = facts;
  const key = deadLetterKey(definition.id, kept.place, round);
  const letter: DeadLetter = {
    id: foreignEventId('event-manager/dead-letter', key),
    state: 'open',
    subscriptionId: definition.id,
    eventId: kept.id,
    place: kept.place,
    round,
    attempts,
    reason: errors.at(-1)?.message ?? '',
    errors,
    deadAtMs: atMs,
    event: utf8Text(kept.body),
    recordedAtMs: kept.recordedAtMs,
    ...(kept.flags === 0 ? {} : { flags: kept.flags }),
    ...(redriven ? { redriven: redrivenBy(redriven, round) } : {}),
    ...(redriven?.isEdited ? { edited: true } : {}),
  };
  const changes: StateChange[] = [
    { kind: 'dead-letter', key, value: letter as unknown as JsonObject },
    { kind: 'dead-letter-id', key: letter.id, value: key },
  ];
  // Two subscriptions that refuse each other's dead letters would tell of them for ever; the letter itself is kept.
  const tellsOfOne = (kept.flags & DEAD_LETTER) !== 0;
  const { deadLetterTopic, useDLQ = true } = definition.options;
  if (deadLetterTopic !== undefined && useDLQ && !tellsOfOne) {
    const value = tellingEvent(letter, deadLetterTopic, kept) as unknown as JsonValue;
    changes.push({ kind: 'schedule', key: `dead-letter/${key}`, value });
  }
  return changes;
}

/** The last life of the delivery that the letter tells of: that in which it died, or in which it was redriven. */
export function lastRoundOf({ state, round, closed }: Pick<DeadLetter, 'state' | 'round' | 'closed'>): number {
  return state === 'redriven' ? (closed?.round ?? round + 1) : round;
}

/** How often the delivery was redriven since it was owed first, or since a reset. */
export function redrivesOf({ redriven, round }: DeadLetter): number {
  return redriven ? (redriven.redrives ?? round) : 0;
}

function redrivenBy({ letterId, runId, redrives = 0 }: Redriven, round: number): NonNullable<DeadLetter['redriven']> {
  return { letterId, runId, ...(redrives === 0 || redrives === round ? {} : { redrives }) };
}

/** The original event under the dead-letter topic, with the reason in its metadata. */
function tellingEvent(letter: DeadLetter, topic: string, kept: KeptEvent): EventIn {
  const { event } = kept;
  const { expiresAt: _expired, retryCount: _count, maxRetries: _retries, ...metadata } = event.metadata;
  return {
    id: foreignEventId('event-manager/dead-letter-event', letter.id),
    type: event.type,
    source: event.source,
    topic,
    priority: priorityName(event.priority),
    timestamp: letter.deadAtMs,
    version: event.version,
    payload: event.payload,
    correlationId: event.correlationId,
    causationId: event.id,
    metadata: {
      ...metadata,
      deadLetterOf: letter.subscriptionId,
      deadLetterId: letter.id,
      failureReason: letter.reason,
      originalTopic: event.topic,
    },
  };
}
