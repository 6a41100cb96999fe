import type { Lane } from '../event/priority.ts';
import type { EventQuery } from '../query/event-query.ts';

/** A partition of the log. Memory and journal have only partition 0. */
export type Partition = number;
/** Where an event stands in its partition: an integer ≥ 1, ascending in the order of appending, not dense. */
export type Position = number;

export interface Place {
  readonly partition: Partition;
  readonly position: Position;
}

/** An event ready to be kept. `body` is its one JSON encoding; the other fields are what stores index and the engine routes by. */
export interface Appendable {
  /** UUID, lower case. */
  readonly id: string;
  /** Canonical topic: levels joined by `/`. */
  readonly topic: string;
  readonly lane: Lane;
  /** One byte that the store keeps and gives back unread (see `event/flags.ts`). */
  readonly flags: number;
  readonly type: string;
  readonly source: string;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  /** The publisher's time, milliseconds since 1970. */
  readonly timestampMs: number;
  /** UTF-8 JSON of the event. The store must not change it. */
  readonly body: Uint8Array;
}

/** An event as the log holds it. */
export interface Recorded {
  readonly id: string;
  readonly place: Place;
  /** When the store took it: never smaller than that of an earlier position of the partition. */
  readonly recordedAtMs: number;
  readonly topic: string;
  readonly lane: Lane;
  readonly flags: number;
  readonly body: Uint8Array;
}

export type Appended =
  | {
      readonly status: 'stored';
      readonly place: Place;
      readonly recordedAtMs: number;
      /** The position before this one in the partition (0 for the first): tells a reader whether it missed something. */
      readonly previous: Position;
    }
  /** The id was there with the same content. */
  | { readonly status: 'duplicate'; readonly place: Place }
  /** The id was there with other content; nothing was stored. */
  | { readonly status: 'conflict'; readonly place: Place };

/** Positions that are gone: retention removed them or damage made them unreadable. Both ends are inside the range. */
export interface LostRange {
  readonly from: Position;
  readonly through: Position;
  readonly cause: 'trimmed' | 'damaged';
}

export interface ReadOptions {
  /** At most this many records. */
  readonly limit: number;
  /** Stop once the bodies add up to this many bytes (at least one record is returned if there is one). */
  readonly bytesMax: number;
  /** Only these lanes. All when absent. */
  readonly lanes?: readonly Lane[];
  /** Only positions ≤ this. */
  readonly until?: Position;
}

export interface ReadResult {
  /** In position order. */
  readonly records: readonly Recorded[];
  /** Everything in (after, scannedTo] was looked at; the next read continues from here. Equals `after` only at the head. */
  readonly scannedTo: Position;
  /** Set when part of (after, scannedTo] is not there any more. */
  readonly lost?: LostRange;
}

export interface FindOptions {
  readonly limit: number;
  /** Continue behind this place: newer or older by `direction`. */
  readonly after?: Place;
  /** `forward` is oldest first. */
  readonly direction: 'forward' | 'backward';
  /** Give up looking after about this long, in milliseconds, and say so by `complete: false`. */
  readonly budgetMs: number;
}

export interface FindResult {
  readonly records: readonly Recorded[];
  /** Where to continue; absent when nothing more can match. */
  readonly next?: Place;
  /** False when the budget ended the search before the limit or the end of the log was reached. */
  readonly complete: boolean;
}

export interface Bounds {
  readonly partition: Partition;
  /** The first position that can still be read, or `head + 1` when the log is empty. */
  readonly first: Position;
  /** The last durable position; 0 when nothing was ever appended. */
  readonly head: Position;
  /** What the events from `first` to `head` take, and how many they are; absent where the store does not know. */
  readonly bytes?: number;
  readonly events?: number;
}

/**
 * The log. Every method may throw `store_failed`, `closed` and `internal`; none may be called before the adapter is open.
 */
export interface EventStore {
  /**
   * Resolves when every event of the call is durable as `supports.durability` says, one result per event in order.
   * Events of one call get ascending positions; concurrent calls are kept in the order of calling. `duplicate` resolves
   * only once the original is durable. A call that rejects has acknowledged nothing: `disk_full` may be retried,
   * `store_failed` is final until restart. Idempotent by event id within the window of remembered ids.
   * Two bodies are the same content when `sameContent` of core says so.
   */
  append(events: readonly Appendable[]): Promise<readonly Appended[]>;
  /** Reads durable records behind `after` (0 = from the start) in position order. */
  read(partition: Partition, after: Position, options: ReadOptions): Promise<ReadResult>;
  /** One entry per reference in order, `undefined` where nothing readable is kept. */
  get(refs: readonly (string | Place)[]): Promise<readonly (Recorded | undefined)[]>;
  /** Searches by the fields of `EventQuery`. Throws `not_supported` if `supports.query` is `none`. */
  find(query: EventQuery, options: FindOptions): Promise<FindResult>;
  /** Without `first` nobody can detect a gap. */
  bounds(): Promise<readonly Bounds[]>;
  /** Removes whole records at or below each place; what is due is decided by core. Resolves with what went. */
  trim(upTo: readonly Place[]): Promise<readonly LostRange[]>;
}
