import type { Place } from '../contracts/event-store.ts';
import { decodeStoredEvent } from '../event/decode-event.ts';
import type { StoredEvent } from '../event/encode-event.ts';
import { DEAD_LETTER, HAS_EXPIRY, HAS_ORDERING_KEY } from '../event/flags.ts';
import type { JsonObject } from '../json.ts';
import { canonicalLevels } from '../topic/topic.ts';
import { type DeadLetter, redrivesOf } from './dead-letter.ts';
import { KeptEvent } from './kept-event.ts';

/**
 * What makes a debt one that somebody took up again: out of which dead letter it comes, and its event. It carries the event
 * with it, because retention may have removed that from the log, and because somebody may have edited it.
 */
export interface Redriven {
  readonly letterId: string;
  /** The redrive that did it. */
  readonly runId: string;
  /** Who asked for it: the id of a principal. */
  readonly by: string;
  /** How often it was redriven by now; absent in debts of earlier versions. */
  readonly redrives?: number;
  /** Its payload is not the one that was published. */
  readonly isEdited: boolean;
  readonly place: Place;
  readonly recordedAtMs: number;
  readonly flags: number;
  /** The event's JSON. */
  readonly event: string;
}

/** The event of a debt that was taken up again: the same for nobody else, even at its place in the log. */
export class RedrivenEvent extends KeptEvent {
  readonly redriven: Redriven;

  constructor(redriven: Redriven) {
    const body = new TextEncoder().encode(redriven.event);
    const { id, topic, priority } = decodeStoredEvent(body);
    const { place, recordedAtMs, flags } = redriven;
    super({ id, place, recordedAtMs, topic: canonicalLevels(topic), lane: priority, flags, body });
    this.redriven = redriven;
  }
}

/** True for the record of a debt that needs nothing of the log. */
export function carriesItsEvent(owed: JsonObject): boolean {
  return owed['redriven'] !== undefined;
}

/** What a letter becomes when it is taken up again; `event` where that was edited. */
export function redrivenOf(
  letter: DeadLetter,
  { runId, by, event }: { readonly runId: string; readonly by: string; readonly event?: string | undefined },
): Redriven {
  return {
    letterId: letter.id,
    ...{ runId, by, redrives: redrivesOf(letter) + 1, isEdited: event !== undefined || letter.edited === true },
    place: letter.place,
    recordedAtMs: letter.recordedAtMs ?? letter.deadAtMs,
    flags: letter.flags ?? flagsOf(letter.event),
    event: event ?? letter.event,
  };
}

/** What a letter of an older version does not say. Whether its publisher had said how many retries nobody knows any more. */
function flagsOf(event: string): number {
  const { metadata } = JSON.parse(event) as StoredEvent;
  return (
    (metadata.expiresAt === undefined ? 0 : HAS_EXPIRY) |
    (metadata['deadLetterOf'] === undefined ? 0 : DEAD_LETTER) |
    (metadata['orderingKey'] === undefined ? 0 : HAS_ORDERING_KEY)
  );
}
