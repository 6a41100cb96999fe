/**
 * The queue of one priority inside one subscription: positions only, bodies are shared elsewhere.
 *
 * One ring holds, in position order,
 *
 *     start            claimed              end
 *       │ claimed or settled │ waiting         │
 *       ▼ (the window)       ▼                 ▼
 *     [ S  C  S  S  C  C     W  W  W  W  W     ]
 *
 * A slot is waiting (offered, not attempted), claimed (an attempt is under way), settled, or held: it was looked at, and waits
 * for another one that was offered before it (see `order/ordered-keys.ts`). The window starts at the
 * oldest slot that is not settled, so `floor` (everything at or below it is settled) follows from the ring alone.
 *
 * Where offers come from is the lane's state:
 *
 *     live ──ring full──▶ overflowed ──ring half empty──▶ reading ──cursor = routed head──▶ live
 *                             ▲                              │
 *                             └──────────ring full───────────┘
 *
 *     live ──taken out of service──▶ reading, for good
 *
 * `live`: every new event is offered. `overflowed`, `reading`: new events are not offered; `cursor` says up to where the
 * ring is complete, and the read-back scan continues behind it. The last step back to `live` is taken without an await,
 * so no event can slip between the scan and the live offers. After a crash the ring is gone and rebuilt by reading from
 * the durable floor: a new lane begins in `reading`.
 */
import type { Position } from '../contracts/event-store.ts';
import type { SettledRange } from './settled-ranges.ts';

const WAITING = 0;
const CLAIMED = 1;
const SETTLED = 2;
const HELD = 3;
const FIRST_CAPACITY = 16;

/** `before`: so many of the lane wait for their first attempt in front of it. What was never offered counts as settled. */
export type LaneStanding =
  | { readonly at: 'settled' | 'held' | 'claimed' | 'unread' }
  | { readonly at: 'waiting'; readonly before: number };

export class LaneQueue {
  state: 'live' | 'overflowed' | 'reading' = 'reading';
  /** How often it was full when a new event came. */
  overflows = 0;
  /** Every matching event at or below this position has been offered; moves only while the lane is not live. */
  cursor: Position;
  /** Claims are allowed up to here: the position is durable in the progress record (see `LocalQueue`). */
  reserved: Position;
  readonly #entriesMax: number;
  #positions = new Float64Array(FIRST_CAPACITY);
  #states = new Uint8Array(FIRST_CAPACITY);
  #mask = FIRST_CAPACITY - 1;
  // Absolute slot numbers; `number & mask` is the index in the ring.
  #start = 0;
  #claimed = 0;
  #end = 0;

  constructor(floor: Position, entriesMax: number) {
    this.cursor = floor;
    this.reserved = floor;
    this.#entriesMax = entriesMax;
  }

  /** Deliveries that wait for a first attempt. */
  get waiting(): number {
    return this.#end - this.#claimed;
  }

  get isEmpty(): boolean {
    return this.#end === this.#start;
  }

  get hasRoom(): boolean {
    return this.waiting < this.#entriesMax;
  }

  /** Room enough to make reading back worth a scan. */
  get wantsReading(): boolean {
    return this.state === 'reading' || (this.state === 'overflowed' && this.waiting <= this.#entriesMax / 2);
  }

  /** Takes a new event of a live lane, or remembers from where to read it back. */
  offer(position: Position): void {
    // A queue taken over from another process may be ahead of what this process has routed.
    if (this.state !== 'live' || position <= this.cursor) return;
    if (this.hasRoom) {
      this.#push(position);
      return;
    }
    this.state = 'overflowed';
    this.overflows++;
    this.cursor = position - 1;
  }

  /** Nothing is offered from here on: the floor must not follow the head over events that never came. */
  leave(routedHead: Position): void {
    if (this.state !== 'live') return;
    this.cursor = Math.max(this.cursor, routedHead);
    this.state = 'reading';
  }

  /** Room came back: the next scan may serve this lane. */
  beginReading(): void {
    if (this.state !== 'overflowed') throw new TypeError(`beginReading in state ${this.state}`);
    this.state = 'reading';
  }

  /**
   * True when a scan that began behind `after` may offer `position` here. A lane that joined the scan meanwhile with an
   * older cursor waits for a scan of its own: taking this event would jump over those in between.
   */
  wantsRead(position: Position, after: Position): boolean {
    return this.state === 'reading' && this.cursor >= after && position > this.cursor;
  }

  /** Takes an event found by the scan, or stops reading when the ring is full. */
  offerRead(position: Position): void {
    if (!this.hasRoom) {
      this.state = 'overflowed';
      return;
    }
    this.#push(position);
    this.cursor = position;
  }

  /** Passes over an event of the scan that needs no slot: it is settled or owed already. */
  passRead(position: Position): void {
    this.cursor = position;
  }

  /** The scan behind `after` looked at everything up to `scannedTo`; the lane goes live when that is all there is. */
  scanned(after: Position, scannedTo: Position, routedHead: Position): void {
    if (this.state !== 'reading' || this.cursor < after) return;
    if (scannedTo > this.cursor) this.cursor = scannedTo;
    if (this.cursor >= routedHead) this.state = 'live';
  }

  /** The position to claim next, or `undefined` when nothing waits. */
  peek(): Position | undefined {
    return this.#claimed === this.#end ? undefined : this.#positions[this.#claimed & this.#mask];
  }

  /** The position that waits `ahead` places behind the next one. */
  peekAhead(ahead: number): Position | undefined {
    const slot = this.#claimed + ahead;
    return slot < this.#end ? this.#positions[slot & this.#mask] : undefined;
  }

  /** Claims the next position; the returned slot number is what `settle` takes. */
  claim(): number {
    if (this.#claimed === this.#end) throw new TypeError('claim on an empty lane');
    this.#states[this.#claimed & this.#mask] = CLAIMED;
    return this.#claimed++;
  }

  /** Passes over the next position, which waits for another one; `claimHeld` or `letOut` takes it up again. */
  hold(): number {
    const slot = this.claim();
    this.#states[slot & this.#mask] = HELD;
    return slot;
  }

  claimHeld(slot: number): void {
    const index = slot & this.#mask;
    if (slot < this.#start || slot >= this.#claimed || this.#states[index] !== HELD) {
      throw new TypeError(`slot ${slot} is not held`);
    }
    this.#states[index] = CLAIMED;
  }

  /** A held one is owed by another record from now on: the floor need not wait for it. */
  letOut(slot: number): void {
    this.claimHeld(slot);
    this.settle(slot);
  }

  /** Slots from the floor to the newest: what a claim or a held one at the floor makes it keep. */
  get span(): number {
    return this.#end - this.#start;
  }

  settle(slot: number): void {
    const index = slot & this.#mask;
    if (slot < this.#start || slot >= this.#claimed || this.#states[index] !== CLAIMED) {
      throw new TypeError(`slot ${slot} is not claimed`);
    }
    this.#states[index] = SETTLED;
    while (this.#start < this.#claimed && this.#states[this.#start & this.#mask] === SETTLED) this.#start++;
  }

  /** Everything of this lane at or below it is settled or owed. */
  floor(routedHead: Position): Position {
    if (this.#start < this.#end) return this.#positions[this.#start & this.#mask]! - 1;
    return this.state === 'live' ? Math.max(routedHead, this.cursor) : this.cursor;
  }

  /** What is settled above the floor, ascending: neighbours in the ring are one range. */
  settledAboveFloor(): SettledRange[] {
    const ranges: SettledRange[] = [];
    let from: Position | undefined;
    for (let slot = this.#start; slot < this.#claimed; slot++) {
      const isSettled = this.#states[slot & this.#mask] === SETTLED;
      const position = this.#positions[slot & this.#mask]!;
      if (isSettled) from ??= position;
      else if (from !== undefined) {
        ranges.push([from, this.#positions[(slot - 1) & this.#mask]!]);
        from = undefined;
      }
    }
    if (from !== undefined) ranges.push([from, this.#positions[(this.#claimed - 1) & this.#mask]!]);
    return ranges;
  }

  /** Where an event of this lane stands, of those that were offered or passed over; `unread` is still to be looked at in the log. */
  standingOf(position: Position): LaneStanding {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#positions[middle & this.#mask]! < position) low = middle + 1;
      else high = middle;
    }
    if (low < this.#end && this.#positions[low & this.#mask] === position) {
      if (low >= this.#claimed) return { at: 'waiting', before: low - this.#claimed };
      const state = this.#states[low & this.#mask];
      return { at: state === SETTLED ? 'settled' : state === HELD ? 'held' : 'claimed' };
    }
    return { at: this.state !== 'live' && position > this.cursor ? 'unread' : 'settled' };
  }

  /** Positions that wait for a first attempt, ascending. */
  *waitingPositions(): Generator<Position> {
    for (let slot = this.#start; slot < this.#end; slot++) {
      const state = this.#states[slot & this.#mask];
      if (slot >= this.#claimed || state === HELD) yield this.#positions[slot & this.#mask]!;
    }
  }

  #push(position: Position): void {
    if (this.#end - this.#start > this.#mask) this.#grow();
    const index = this.#end & this.#mask;
    this.#positions[index] = position;
    this.#states[index] = WAITING;
    this.#end++;
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const positions = new Float64Array(capacity);
    const states = new Uint8Array(capacity);
    for (let slot = this.#start; slot < this.#end; slot++) {
      positions[slot & (capacity - 1)] = this.#positions[slot & this.#mask]!;
      states[slot & (capacity - 1)] = this.#states[slot & this.#mask]!;
    }
    this.#positions = positions;
    this.#states = states;
    this.#mask = capacity - 1;
  }
}
