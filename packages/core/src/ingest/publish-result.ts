import type { Place } from '../contracts/event-store.ts';
import { encodeCursor } from '../query/cursor.ts';

/** The acknowledgement: the event is as durable as the adapter promises. */
export interface PublishResult {
  readonly id: string;
  /** True when an event with this id and content was there already. */
  readonly duplicate: boolean;
  /** A stream from this cursor continues behind the event; from that of a scheduled one it will show it. */
  readonly cursor: string;
  /** When an event for later is appended to the log, RFC 3339; absent for every other event, and for one that is there. */
  readonly scheduledFor?: string;
}

/** The acknowledgement as the engine gives it: most publishers never ask for the cursor, so it is made on demand. */
export class Published implements PublishResult {
  readonly id: string;
  readonly duplicate: boolean;
  readonly #place: Place;

  constructor(id: string, place: Place, duplicate: boolean) {
    this.id = id;
    this.duplicate = duplicate;
    this.#place = place;
  }

  get cursor(): string {
    return encodeCursor([this.#place]);
  }

  toJSON(): { id: string; cursor: string; duplicate: boolean } {
    return { id: this.id, cursor: this.cursor, duplicate: this.duplicate };
  }
}
