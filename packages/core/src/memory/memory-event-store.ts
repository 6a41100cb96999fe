import type {
  Appendable,
  Appended,
  Bounds,
  EventStore,
  FindOptions,
  FindResult,
  LostRange,
  Partition,
  Place,
  Position,
  ReadOptions,
  ReadResult,
  Recorded,
} from '../contracts/event-store.ts';
import type { Extent, Restored, UnusedPositions } from '../contracts/movable-adapter.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { sameContent } from '../event/same-content.ts';
import type { EventQuery } from '../query/event-query.ts';
import { compileQuery } from '../query/matches-query.ts';
import type { Clock, Timers } from '../runtime/clock.ts';

/** How many records a search looks at between two looks at the clock. */
const RECORDS_PER_CLOCK_READING = 256;
/** Bytes of bodies that a search may have decoded before others have their turn. */
const BYTES_PER_TURN = 1024 * 1024;

/** Without timers a search holds the event loop until it is through. */
export interface MemoryRuntime {
  readonly clock: Clock;
  readonly timers?: Pick<Timers, 'soon'>;
}

/**
 * The log as an array: what every other store must do, in the fewest words.
 *
 * Invariants: `records[i]` has position `first + i`; it is a hole where the event was lost before it came here, and nowhere
 * else, for what is appended here gets dense positions; `byId` holds exactly the records of the array, so an id is remembered as long as its event is kept. Bodies are kept by reference:
 * whoever appends hands them over.
 */
export class MemoryEventStore implements EventStore {
  /** Set by the adapter; every method refuses with `closed` while it is false. */
  isOpen = false;

  readonly #clock: Clock;
  readonly #timers: Pick<Timers, 'soon'> | undefined;
  readonly #maxHistorySize: number;
  readonly #records: (Recorded | undefined)[] = [];
  /** Holes in which no event ever was. */
  readonly #unused: UnusedPositions[] = [];
  readonly #byId = new Map<string, Recorded>();
  /** Of all bodies. */
  #bytes = 0;
  #first: Position = 1;
  #lastRecordedAtMs = 0;
  #historyClearedThrough: Position = 0;

  constructor({ clock, timers }: MemoryRuntime, maxHistorySize: number) {
    this.#clock = clock;
    this.#timers = timers;
    this.#maxHistorySize = maxHistorySize;
  }

  async append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    this.#assertOpen();
    // The log's time never goes back, even when the wall clock does: retention and replay by time rely on it.
    this.#lastRecordedAtMs = Math.max(this.#lastRecordedAtMs, this.#clock.wallMs());
    const results: Appended[] = [];
    for (const event of events) results.push(this.#appendOne(event));
    return results;
  }

  async read(partition: Partition, after: Position, options: ReadOptions): Promise<ReadResult> {
    this.#assertOpen();
    assertPartition(partition);
    const last = Math.min(this.#head(), options.until ?? Number.POSITIVE_INFINITY);
    const records: Recorded[] = [];
    let bytes = 0;
    let scannedTo = Math.max(after, Math.min(last, this.#first - 1));
    let hole: LostRange | undefined;
    while (scannedTo < last && records.length < options.limit && bytes < options.bytesMax) {
      const record = this.#at(scannedTo + 1);
      const unused = record === undefined ? this.#unusedAt(scannedTo + 1) : undefined;
      if (unused !== undefined) {
        scannedTo = Math.min(last, unused.through);
        continue;
      }
      if (record === undefined) {
        // One answer names one range.
        const from = hole?.from ?? scannedTo + 1;
        if ((hole !== undefined && hole.through < scannedTo) || this.#first - 1 > after) break;
        hole = { from, through: ++scannedTo, cause: 'damaged' };
        continue;
      }
      scannedTo++;
      if (options.lanes !== undefined && !options.lanes.includes(record.lane)) continue;
      records.push(record);
      bytes += record.body.length;
    }
    if (hole !== undefined) return { records, scannedTo, lost: hole };
    const lostThrough = Math.min(scannedTo, this.#first - 1);
    if (lostThrough <= after) return { records, scannedTo };
    return { records, scannedTo, lost: { from: after + 1, through: lostThrough, cause: 'trimmed' } };
  }

  async get(refs: readonly (string | Place)[]): Promise<readonly (Recorded | undefined)[]> {
    this.#assertOpen();
    return refs.map((ref) => {
      if (typeof ref === 'string') return this.#byId.get(ref);
      return ref.partition === 0 ? this.#at(ref.position) : undefined;
    });
  }

  async find(query: EventQuery, options: FindOptions): Promise<FindResult> {
    this.#assertOpen();
    const matches = compileQuery(query);
    const forward = options.direction === 'forward';
    const step = forward ? 1 : -1;
    const oldest = this.#historyFirst();
    const newest = this.#head();
    const after = options.after?.position ?? (forward ? oldest - 1 : newest + 1);
    const end = forward ? newest : oldest;
    const deadlineMs = this.#clock.monotonicMs() + options.budgetMs;

    const records: Recorded[] = [];
    let looked = 0;
    let bytes = 0;
    let position = forward ? Math.max(after, oldest - 1) : Math.min(after, newest + 1);
    while (forward ? position < end : position > end) {
      if (records.length >= options.limit) return { records, next: { partition: 0, position }, complete: true };
      if (++looked % RECORDS_PER_CLOCK_READING === 0 && this.#clock.monotonicMs() >= deadlineMs) {
        return { records, next: { partition: 0, position }, complete: false };
      }
      position += step;
      const record = this.#at(position);
      if (record === undefined) continue;
      if (matches(record)) records.push(record);
      bytes += record.body.length;
      if (bytes < BYTES_PER_TURN || !this.#timers) continue;
      bytes = 0;
      await new Promise<void>((resolve) => this.#timers!.soon(resolve));
    }
    return { records, complete: true };
  }

  async bounds(): Promise<readonly Bounds[]> {
    this.#assertOpen();
    return [{ partition: 0, first: this.#first, head: this.#head(), bytes: this.#bytes, events: this.#byId.size }];
  }

  async trim(upTo: readonly Place[]): Promise<readonly LostRange[]> {
    this.#assertOpen();
    const from = this.#first;
    for (const place of upTo) {
      assertPartition(place.partition);
      const through = Math.min(place.position, this.#head());
      if (through < this.#first) continue;
      for (const record of this.#records.splice(0, through - this.#first + 1)) {
        if (record === undefined) continue;
        this.#byId.delete(record.id);
        this.#bytes -= record.body.length;
      }
      this.#first = through + 1;
    }
    return this.#first === from ? [] : [{ from, through: this.#first - 1, cause: 'trimmed' }];
  }

  /** The newest kept events, oldest first: at most `maxHistorySize`, and none from before `clearHistory`. */
  history(query: EventQuery): readonly Recorded[] {
    const kept = this.#records.slice(this.#historyFirst() - this.#first).filter((record) => record !== undefined);
    return kept.filter(compileQuery(query));
  }

  /** Empties the history. The log stays as it is, since events in it may still be owed. */
  clearHistory(): void {
    this.#historyClearedThrough = this.#head();
  }

  get isEmpty(): boolean {
    return this.#head() === 0;
  }

  /** Throws away what is here: the log then begins at `first` and holds nothing. */
  restoreFrom({ first }: Extent): void {
    this.#records.length = 0;
    this.#byId.clear();
    this.#bytes = 0;
    this.#first = first;
    this.#lastRecordedAtMs = 0;
    this.#historyClearedThrough = 0;
    this.#unused.length = 0;
  }

  /** Appends an event as another store had it. Positions before it that nobody has are holes. */
  restore({ id, topic, lane, flags, body, position, recordedAtMs }: Restored): void {
    if (position <= this.#head()) throw new TypeError(`Position ${position} is not behind ${this.#head()}.`);
    const record: Recorded = { id, place: { partition: 0, position }, recordedAtMs, topic, lane, flags, body };
    this.skipTo(position - 1);
    this.#records.push(record);
    this.#byId.set(id, record);
    this.#bytes += body.length;
    this.#lastRecordedAtMs = recordedAtMs;
  }

  /** Makes holes that nothing was lost in; before them there are others. */
  skipUnused(unused: UnusedPositions): void {
    this.skipTo(unused.through);
    this.#unused.push(unused);
  }

  /** Makes holes up to a position. */
  skipTo(head: Position): void {
    while (this.#head() < head) this.#records.push(undefined);
  }

  #appendOne(event: Appendable): Appended {
    const known = this.#byId.get(event.id);
    if (known !== undefined) {
      return { status: sameContent(known.body, event.body) ? 'duplicate' : 'conflict', place: known.place };
    }
    const previous = this.#head();
    const record: Recorded = {
      id: event.id,
      place: { partition: 0, position: previous + 1 },
      recordedAtMs: this.#lastRecordedAtMs,
      topic: event.topic,
      lane: event.lane,
      flags: event.flags,
      body: event.body,
    };
    this.#records.push(record);
    this.#bytes += record.body.length;
    this.#byId.set(record.id, record);
    return { status: 'stored', place: record.place, recordedAtMs: record.recordedAtMs, previous };
  }

  #head(): Position {
    return this.#first + this.#records.length - 1;
  }

  #at(position: Position): Recorded | undefined {
    return this.#records[position - this.#first];
  }

  #unusedAt(position: Position): UnusedPositions | undefined {
    return this.#unused.find(({ from, through }) => from <= position && position <= through);
  }

  #historyFirst(): Position {
    return Math.max(this.#first, this.#historyClearedThrough + 1, this.#head() + 1 - this.#maxHistorySize);
  }

  #assertOpen(): void {
    if (!this.isOpen) throw new EventManagerError('closed', 'The memory adapter is not open.');
  }
}

function assertPartition(partition: Partition): void {
  if (partition !== 0) throw new TypeError(`The memory adapter has only partition 0, not ${partition}.`);
}
