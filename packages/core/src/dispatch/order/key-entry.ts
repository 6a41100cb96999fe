import type { Position } from '../../contracts/event-store.ts';
import type { Lane } from '../../event/priority.ts';
import type { Owed } from '../owed.ts';
import type { KeyRecord, Parked, SuspectRange } from './key-record.ts';
import type { KeyMeaning } from './ordering-key.ts';
import { endOfAhead, isSettledAhead, type SettledAhead } from './settled-ahead.ts';

/** First attempts of a key that one commit reserves: more would come as suspects after a crash, one at a time. */
const TRY_AHEAD = 32;
/** What is kept apart of the suspects behind a range: one more crash while its key is blocked costs no more than attempts one at a time. */
const SUSPECT_RANGES_MAX = 8;

/**
 * One key that is not free: what of it is under way, and what waits behind that. In the order of the log:
 *
 *     at its head: one claim, or one debt (`owed`); next to it debts that were taken up again (`redriven`)
 *     held:        slots of the lane, in memory alone; the floor stands before them
 *     range:       from .. through, durable; the floor has passed it
 *
 * Of the range memory knows the first positions (`known`); what follows from `scanFrom` on is read from the log. While
 * `scanFrom` lies behind `through` all is known, so a new event is known, too.
 */
export class KeyEntry {
  readonly key: string;
  readonly meaning: KeyMeaning;
  underWay = 0;
  /** The attempt that was given up and whose receiver has not let go. */
  lingersFor: object | undefined;
  /** It failed: waits for its time, or is tried again. */
  owed: Owed | undefined;
  /** Dead letters of it that were taken up again, in the order of the log: they go next, before everything else of the key. */
  redriven: Owed[] = [];
  /** The time of `owed` came while an attempt lingered. */
  isDue = false;
  /** The position in the lane that is under way as a first attempt; 0 when none is. */
  head: Position = 0;
  /** Positions that are held in the lane, and their slots. */
  held: Position[] = [];
  heldSlots: number[] = [];
  known: Position[] = [];
  /** The position out of the range that is under way as a first attempt; 0 when none is. */
  taken: Position = 0;
  scanFrom: Position = 1;
  through: Position = 0;
  /** Events of the range, counted as they came. */
  count = 0;
  /** Up to here an earlier process may have attempted what is left. */
  suspectThrough: Position = 0;
  /** The same may hold for these, which stand behind others that nobody attempted: they were the last to come before a crash. */
  suspectRanges: SuspectRange[] = [];
  /** Up to here first attempts are reserved durably, and up to where they shall be. */
  reserved: Position = 0;
  toReserve: Position = 0;
  parked: Parked | undefined;
  /** Its range may reach over these, and owes none of them. */
  ahead: SettledAhead | undefined;
  /** It stands in a line of those that may go on, or waits for its reservation. */
  standing: 'nowhere' | 'turn' | 'suspect' | 'reserving' = 'nowhere';
  /** What `OrderedKeys` counted it as. */
  isBlocked = false;
  isParked = false;
  /** The scan under way found more than may be known. */
  isFull = false;
  /** A part of its range cannot be read any more. */
  hasLost = false;
  /** Events within its range that had expired when it was read: some did before they would have been put there. */
  expiredCount = 0;

  #id: string | undefined;

  constructor(key: string, meaning: KeyMeaning) {
    this.key = key;
    this.meaning = meaning;
  }

  /** Distinguishes it from all others, also of former meanings. */
  get id(): string {
    this.#id ??= `${this.meaning}\n${this.key}`;
    return this.#id;
  }

  static fromRecord(record: KeyRecord, head: Position): KeyEntry {
    const entry = new KeyEntry(record.key, record.meaning);
    entry.scanFrom = record.from;
    entry.through = Math.min(record.through, head);
    entry.count = record.count;
    entry.expiredCount = record.expired ?? 0;
    entry.suspectThrough = Math.min(record.tried, head);
    for (const [from, through] of record.suspects ?? []) {
      if (from <= head) entry.suspectRanges.push([from, Math.min(through, head)]);
    }
    entry.hasLost = record.through > head && record.from <= record.through;
    entry.reserved = entry.suspectThrough;
    entry.parked = record.parked;
    entry.ahead = record.ahead;
    return entry;
  }

  /** Something of the range is left that is not under way. */
  get hasRange(): boolean {
    return this.known.length > 0 || this.scanFrom <= this.through;
  }

  /** What comes after the one that is under way, when it is known. */
  get next(): Position | undefined {
    return this.held[0] ?? this.known[0];
  }

  /** The whole rest of the range is known. */
  get isComplete(): boolean {
    return this.scanFrom > this.through;
  }

  /** What of it stands in the lane is owed by the record, too: after a crash it must not be looked for behind the range. */
  get from(): Position {
    return this.taken || this.head || (this.held[0] ?? this.known[0] ?? this.scanFrom);
  }

  /** An event of the range is owed. */
  get owesRange(): boolean {
    return this.hasRange || this.taken > 0;
  }

  /** The event waits in its range, or is tried out of it. */
  owes(position: Position, lane: Lane): boolean {
    if (position === this.taken || position === this.head) return true;
    if (this.ahead && isSettledAhead(this.ahead, lane, position)) return false;
    return this.known.includes(position) || (this.scanFrom <= position && position <= this.through);
  }

  /** It has a record: what its owed debt cannot say. */
  get isKept(): boolean {
    return this.owesRange || this.parked !== undefined;
  }

  /** Nothing of it is left. */
  get isFree(): boolean {
    if (this.underWay > 0 || this.lingersFor || this.owed || this.redriven.length > 0) return false;
    return this.held.length === 0 && !this.isKept;
  }

  /** Events that wait, the one at its head not counted. */
  get waiting(): number {
    return this.count + this.held.length;
  }

  /** Nothing at its head keeps the next event of it. */
  get mayGoOn(): boolean {
    return this.underWay === 0 && !this.lingersFor && !this.owed && !this.parked;
  }

  /** The next event of the range may have been attempted by an earlier process. */
  get isNextSuspect(): boolean {
    const next = this.held.length === 0 ? this.known[0] : undefined;
    if (next === undefined) return false;
    return next <= this.suspectThrough || this.suspectRanges.some(([from, through]) => from <= next && next <= through);
  }

  /**
   * An earlier process may have attempted the event at `position`, which goes behind everything of the range. What stands before
   * it was not attempted as far as that was never reserved: a million events must not come one at a time because of one crash.
   */
  suspect(position: Position): void {
    if (!this.hasRange || this.through <= this.suspectThrough) {
      this.suspectThrough = position;
      return;
    }
    const last = this.suspectRanges.at(-1);
    const isFull = this.suspectRanges.length >= SUSPECT_RANGES_MAX;
    if (last && (isFull || last[1] === this.through)) this.suspectRanges.splice(-1, 1, [last[0], position]);
    else this.suspectRanges.push([position, position]);
  }

  /** A new event goes behind everything of the range; `isKnown` says whether memory has room for it. */
  append(position: Position, isKnown: boolean): void {
    const wasComplete = this.isComplete;
    if (!this.hasRange) this.scanFrom = position;
    if (wasComplete) this.scanFrom = isKnown ? position + 1 : position;
    if (wasComplete && isKnown) this.known.push(position);
    this.through = position;
    this.count++;
  }

  /** Events that stood in the lane go before everything of the range. */
  prepend(positions: readonly Position[]): void {
    if (!this.hasRange) {
      this.through = positions.at(-1)!;
      this.scanFrom = this.through + 1;
    }
    this.known = [...positions, ...this.known];
    this.count += positions.length;
  }

  /** Nothing waits behind the dead letter at `position` yet. */
  parkAt(position: Position, parked: Parked): void {
    this.parked = parked;
    if (this.hasRange) return;
    this.through = position;
    this.scanFrom = position + 1;
  }

  /** Somebody has to release it: memory does not keep what it would read again then. Returns how many that were. */
  forgetKnown(): number {
    const { length } = this.known;
    this.scanFrom = this.known[0] ?? this.scanFrom;
    this.known = [];
    return length;
  }

  hold(slot: number, position: Position): void {
    this.held.push(position);
    this.heldSlots.push(slot);
  }

  /** Takes the next one that is held in the lane, by its slot; `undefined` when none is. */
  takeHeld(): { slot: number; position: Position } | undefined {
    const position = this.held.shift();
    return position === undefined ? undefined : { slot: this.heldSlots.shift()!, position };
  }

  /** Takes the next event out of the range. */
  take(): Position {
    this.count--;
    return this.known.shift()!;
  }

  /** Asks for first attempts beyond the next one, so that one commit serves many. */
  reserveAhead(): void {
    const last = this.known[Math.min(TRY_AHEAD, this.known.length) - 1];
    if (last !== undefined) this.toReserve = Math.max(this.toReserve, last);
  }

  record(closing: boolean): KeyRecord {
    const { key, meaning, from, through, parked } = this;
    const known = Math.max(this.suspectThrough, this.held.at(-1) ?? this.head);
    const tried = closing ? known : Math.max(known, this.toReserve);
    // Without a range what is held stands behind the one that is under way, and after a crash comes as a suspect of the lane.
    const inLane = this.hasRange ? Number(this.head > 0) + this.held.length : 0;
    const count = this.count + Number(this.taken > 0) + inLane;
    const suspects = this.suspectRanges.filter((range) => range[1] >= from);
    return {
      ...{ key, meaning, from, through, count, expired: this.expiredCount },
      tried: tried >= from ? tried : 0,
      ...(suspects.length === 0 ? {} : { suspects }),
      ...(this.ahead && from <= endOfAhead(this.ahead) ? { ahead: this.ahead } : {}),
      parked,
    };
  }
}
