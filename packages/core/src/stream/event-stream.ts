/**
 * A read of the log from a cursor that the client holds: position order, no debt, no acknowledgement. At the head it waits
 * for the route; behind it, it reads from memory what is still there and from the store what is not. What cannot be read
 * any more is said by a gap frame, never skipped in silence.
 */
import type { EventStore, LostRange, Place, Position, Recorded } from '../contracts/event-store.ts';
import { KeptEvent } from '../dispatch/kept-event.ts';
import type { Route } from '../dispatch/route.ts';
import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import { encodeCursor } from '../query/cursor.ts';
import { matchesPattern, type Pattern } from '../topic/pattern.ts';
import type { StreamedEvent, StreamedGap, StreamReader } from './stream-reader.ts';
import type { Turns } from './turns.ts';

const BATCH_MAX = 256;
const BATCH_BYTES = 1024 * 1024;

/** Why events are missing: retention, damage, or a cursor from a log that was longer than this one. */
export type GapCause = LostRange['cause'] | 'ahead';

export type StreamFrame = EventFrame | StreamedGap;

/** Protocols send the bytes of the record as they are; only who asks for the event pays for reading it. */
export class EventFrame implements StreamedEvent {
  readonly kind = 'event';
  readonly record: Recorded;

  constructor(record: Recorded) {
    this.record = record;
  }

  get cursor(): string {
    return encodeCursor([this.record.place]);
  }

  get event(): Event {
    return this.record instanceof KeptEvent ? this.record.event : decodeEvent(this.record.body);
  }
}

export interface EventStreamOptions {
  readonly store: EventStore;
  readonly route: Route;
  readonly patterns: readonly Pattern[];
  readonly matches: ((event: Event) => boolean) | undefined;
  readonly after: Position;
  readonly partition: number;
  /** Shared by all streams: what is in memory is read without a wait, and would be read to its end. */
  readonly turns: Turns;
  readonly onClose: (stream: EventStream) => void;
}

export class EventStream implements StreamReader {
  readonly #options: EventStreamOptions;
  #after: Position;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#after = options.after;
  }

  /** Where a new stream would continue: behind everything this one has looked at. */
  get cursor(): string {
    return encodeCursor([this.#place(this.#after)]);
  }

  /** The next frames, at least one; waits while there is nothing. Empty once the stream is closed. */
  async next(): Promise<readonly StreamFrame[]> {
    while (!this.#closed) {
      const frames = await this.#options.turns.run(() => (this.#closed ? [] : this.#read()));
      if (frames.length > 0) return frames;
      if (this.#after < this.#options.route.head || this.#closed) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return [];
  }

  /** The log grew. */
  advanced(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.advanced();
    this.#options.onClose(this);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamFrame> {
    try {
      for (;;) {
        const frames = await this.next();
        if (frames.length === 0) return;
        yield* frames;
      }
    } finally {
      this.close();
    }
  }

  async #read(): Promise<StreamFrame[]> {
    const { route, store, partition } = this.#options;
    if (this.#after > route.head) return this.#comeBack();
    const recent = firstBytes(route.recent(this.#after, BATCH_MAX));
    if (recent) return this.#take(recent, recent.at(-1)?.place.position ?? this.#after);
    const until = route.head;
    const chunk = await store.read(partition, this.#after, { limit: BATCH_MAX, bytesMax: BATCH_BYTES, until });
    const { lost, records, scannedTo } = chunk;
    if (!lost) return this.#take(records, scannedTo);
    // What stands before the gap comes before it: whoever continues from the cursor of the gap must have seen that.
    const before = records.filter((record) => record.place.position < lost.from);
    const behind = records.slice(before.length);
    const through = Math.min(lost.through, (behind[0]?.place.position ?? Number.POSITIVE_INFINITY) - 1);
    return [...this.#take(before, this.#after), this.#gap(lost.cause, through), ...this.#take(behind, scannedTo)];
  }

  /** The cursor lies ahead of the log. Either this process has not read that far yet, or the log is another one. */
  async #comeBack(): Promise<StreamFrame[]> {
    const { route, store, partition } = this.#options;
    const head = (await store.bounds()).find((bounds) => bounds.partition === partition)?.head ?? 0;
    if (this.#after <= head) {
      route.catchUp();
      return [];
    }
    this.#after = head;
    return [this.#gap('ahead', head)];
  }

  #take(records: readonly Recorded[], scannedTo: Position): StreamFrame[] {
    const frames: StreamFrame[] = [];
    for (const record of records) {
      if (!this.#wants(record)) continue;
      frames.push(new EventFrame(record));
    }
    if (scannedTo > this.#after) this.#after = scannedTo;
    return frames;
  }

  #wants(record: Recorded): boolean {
    const { patterns, matches } = this.#options;
    if (!patterns.some((pattern) => matchesPattern(pattern, record.topic))) return false;
    if (!matches) return true;
    const kept = record instanceof KeptEvent ? record : new KeptEvent(record);
    return matches(kept.event);
  }

  #gap(cause: GapCause, through: Position): StreamFrame {
    return { kind: 'gap', cause, cursor: encodeCursor([this.#place(through)]) };
  }

  #place(position: Position): Place {
    return { partition: this.#options.partition, position };
  }
}

/** A batch is held until its reader has taken it, even when memory has let go of its events: many slow readers must stay cheap. */
function firstBytes(records: readonly Recorded[] | undefined): readonly Recorded[] | undefined {
  if (records === undefined) return undefined;
  let bytes = 0;
  const end = records.findIndex((record, index) => (bytes += record.body.length) > BATCH_BYTES && index > 0);
  return end < 0 ? records : records.slice(0, end);
}
