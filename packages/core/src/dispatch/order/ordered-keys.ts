/**
 * The keys of one subscription that are not free, and which of them may go on. A key without an entry here is free: its next
 * event is attempted at once.
 *
 *     free ──claim──▶ under way ──settled, nothing waits──▶ free
 *                        │  ▲
 *               failed   │  └─────────── claim ◀─ in turn ◀─ settled, something waits
 *                        ▼                          ▲
 *                     blocked ──settled─────────────┤
 *                        └──dead letter──▶ parked ──released
 *
 * Under way: later events are held in the lane, up to a bound. Blocked: the head waits for its retry; what was held, and what
 * comes, goes into the range of the key, which is durable in the commit that lets the floor pass it. A range is read back
 * when its key may go on, and the key is free when nothing of it is left. That last look, the deletion of the entry and
 * the next look of a claim for it happen without an await between them, so no event of the key can slip past.
 *
 * What is true after a crash: the durable record of a key (see `key-record.ts`), its debt in `owed`, and the suspects of the
 * lane, which `suspect` adds behind the range. So the order of a key is that of the log, whatever a crash forgot.
 */
import type { Position } from '../../contracts/event-store.ts';
import type { LaneQueue } from '../lane-queue.ts';
import type { Owed } from '../owed.ts';
import { Fifo } from './fifo.ts';
import { KeyEntry } from './key-entry.ts';
import { KeyMap } from './key-map.ts';
import type { Parked } from './key-record.ts';
import { KeyRecords, type KeySnapshot } from './key-records.ts';
import type { KeptKeys } from './open-keys.ts';
import { type KeyMeaning, type KeyReader, keyReader } from './ordering-key.ts';
import { UnreadRanges } from './unread-ranges.ts';

/** Events of one key that wait in the lane: a hot key shall not take the room of the others. */
const HELD_PER_KEY_MAX = 64;
/** Positions of one key that memory knows of its range. */
const KNOWN_PER_KEY_MAX = 256;

export interface OrderedKeysOptions {
  /** Absent where nothing is ordered any more: what waits from before goes on as it was meant. */
  readonly meaning: KeyMeaning | undefined;
  readonly parksDead: boolean;
  /** Planted bug: a key that waits for a retry goes on. */
  readonly goesOnAfterFailure: boolean;
  readonly durable: boolean;
  /** Held events of all keys. */
  readonly heldMax: number;
  /** Positions of ranges in memory, of all keys. */
  readonly knownMax: number;
  /** Keys that are blocked or parked before nothing new is claimed. */
  readonly blockedMax: number;
  /** Where records of keys stand. */
  readonly prefix: string;
}

/** What a subscription wants to hear. */
export interface KeyListener {
  /** The event left the lane for the range of its key: nobody shall wait for its first attempt. */
  putOff(position: Position): void;
  /** A range ended and so many events of it were not found: they do not match any more, or are `lost`. */
  missing(count: number, lost: boolean): void;
  /** So many events of a range expired before it was read. */
  expired(count: number): void;
  /** A key is parked from now on. */
  parked(key: string, parked: Parked): void;
}

const DEAF: KeyListener = { putOff() {}, missing() {}, expired() {}, parked() {} };

export class OrderedKeys {
  listener: KeyListener = DEAF;
  /** A record is not true any more. */
  onDirty: () => void = () => {};
  readonly unread: UnreadRanges;
  readonly keyOf: KeyReader | undefined;
  readonly #options: OrderedKeysOptions;
  readonly #map: KeyMap;
  readonly #turns = new Fifo<KeyEntry>();
  readonly #suspects = new Fifo<KeyEntry>();
  readonly #records: KeyRecords;
  #heldCount = 0;
  #knownCount = 0;
  #blockedCount = 0;
  #parkedCount = 0;
  #rangeCount = 0;

  constructor(options: OrderedKeysOptions) {
    this.#options = options;
    this.#map = new KeyMap(options.meaning);
    this.#records = new KeyRecords(options.prefix);
    this.keyOf = options.meaning === undefined ? undefined : keyReader(options.meaning);
    this.unread = new UnreadRanges({
      find: (meaning, key) => this.#map.findIn(meaning, key),
      hasRoom: (entry) => this.#hasRoom(entry),
      isRoomy: () => this.#knownCount <= this.#options.knownMax / 2,
      found: (entry, position) => this.#found(entry, position),
      advance: (entry) => this.#advance(entry),
    });
  }

  /** Keys that wait for a retry, go on after one, or are parked. */
  get blockedCount(): number {
    return this.#blockedCount - this.#parkedCount;
  }

  get parkedCount(): number {
    return this.#parkedCount;
  }

  /** Events that wait behind others of their key. */
  get waitingCount(): number {
    return this.#heldCount + this.#rangeCount;
  }

  get isSaturated(): boolean {
    return this.#blockedCount >= this.#options.blockedMax;
  }

  /** Nothing is left but keys that somebody has to release. */
  get isSettled(): boolean {
    return this.#map.size <= this.#parkedCount && this.#heldCount === 0;
  }

  get isDirty(): boolean {
    return this.#records.isDirty;
  }

  /** An event behind a settled one could be claimed now. */
  hasTurn(suspectUnderWay: boolean): boolean {
    return this.#turns.size > 0 || (!suspectUnderWay && this.#suspects.size > 0);
  }

  /** The key that goes on next: those with a suspect one at a time. */
  nextTurn(suspectUnderWay: boolean): KeyEntry | undefined {
    return this.#turns.peek() ?? (suspectUnderWay ? undefined : this.#suspects.peek());
  }

  /** Positions of the first keys in turn, for reading their bodies together. */
  upcoming(most: number): Position[] {
    const positions: Position[] = [];
    for (const line of [this.#turns, this.#suspects]) {
      for (let ahead = 0; positions.length < most; ahead++) {
        const entry = line.peekAhead(ahead);
        if (!entry) break;
        positions.push(entry.next!);
      }
    }
    return positions;
  }

  find(key: string): KeyEntry | undefined {
    return this.#map.find(key);
  }

  entries(): Iterable<KeyEntry> {
    return this.#map;
  }

  /** The key was free; an event of it is claimed. */
  begin(key: string, position: Position): KeyEntry {
    const entry = this.#map.obtain(this.#options.meaning!, key);
    entry.underWay++;
    entry.head = position;
    return entry;
  }

  /** The event may wait in its lane: that is bounded, and only for as long as one attempt takes. */
  mayHold(entry: KeyEntry): boolean {
    if (entry.hasRange || entry.owed || entry.parked || this.#heldCount >= this.#options.heldMax) return false;
    return (entry.underWay > 0 || entry.held.length > 0) && entry.held.length < HELD_PER_KEY_MAX;
  }

  hold(entry: KeyEntry, slot: number, position: Position): void {
    entry.hold(slot, position);
    this.#heldCount++;
  }

  /** The event left the lane; it is owed by the range of its key. */
  append(entry: KeyEntry, position: Position): void {
    const isKnown = this.#hasRoom(entry);
    const before = entry.known.length;
    entry.append(position, isKnown && !entry.parked);
    this.#knownCount += entry.known.length - before;
    this.#rangeCount++;
    this.unread.note(entry);
    this.#changed(entry);
  }

  /** What is held of all keys goes into their ranges: the lane has grown too long, or ends here. */
  spill(lane: LaneQueue): void {
    if (this.#heldCount === 0) return;
    for (const entry of this.#map) this.#spill(entry, lane);
  }

  /** Claims the next event of the key that stands first in turn: a held one (its slot), or one of the range. */
  claimTurn(entry: KeyEntry, lane: LaneQueue): { position: Position; slot: number } {
    this.#leaveLine(entry);
    entry.underWay++;
    const held = entry.takeHeld();
    if (held) {
      this.#heldCount--;
      lane.claimHeld(held.slot);
      entry.head = held.position;
      return held;
    }
    entry.taken = this.#take(entry);
    if (entry.known.length > 0 && entry.known[0]! > entry.reserved) entry.reserveAhead();
    this.#changed(entry);
    return { position: entry.taken, slot: -1 };
  }

  /** The next event of the key may be claimed without a commit before. */
  isReserved(entry: KeyEntry): boolean {
    return !this.#options.durable || entry.held.length > 0 || entry.known[0]! <= entry.reserved;
  }

  /** The key that stands first in turn waits until first attempts of it are reserved. */
  reserve(entry: KeyEntry): void {
    this.#leaveLine(entry);
    entry.standing = 'reserving';
    entry.reserveAhead();
    this.#changed(entry);
  }

  /** Takes the suspect of the key that stands first: it becomes a debt, `owed`, which is attempted again at once. */
  takeSuspect(entry: KeyEntry, make: (position: Position) => Owed): Owed {
    this.#leaveLine(entry);
    const owed = make(this.#take(entry));
    this.#own(entry, owed);
    this.#changed(entry);
    return owed;
  }

  /** The next event of the key that stands first needs no attempt. */
  pass(entry: KeyEntry, lane: LaneQueue): void {
    this.#leaveLine(entry);
    const held = entry.takeHeld();
    if (held) {
      this.#heldCount--;
      lane.claimHeld(held.slot);
      lane.settle(held.slot);
    } else {
      this.#take(entry);
    }
    this.#changed(entry);
    this.#advance(entry);
  }

  /** A retry is claimed. First attempts behind it are reserved by the commit that it waits for anyway. */
  retryBegins(entry: KeyEntry): void {
    entry.underWay++;
    entry.isDue = false;
    entry.reserveAhead();
    if (entry.isKept) this.#changed(entry);
  }

  /** The event at its head is settled. */
  settled(entry: KeyEntry): void {
    entry.underWay--;
    entry.head = 0;
    entry.taken = 0;
    entry.owed = undefined;
    entry.isDue = false;
    this.#changed(entry);
    this.#advance(entry);
  }

  /** A retry that was never attempted again is settled. */
  dropped(entry: KeyEntry): void {
    entry.underWay++;
    this.settled(entry);
  }

  /** The event at its head is a debt from now on, in a record of its own. */
  failed(entry: KeyEntry, owed: Owed, lane: LaneQueue): void {
    if (this.#options.goesOnAfterFailure) {
      this.settled(entry);
      return;
    }
    entry.underWay--;
    entry.head = 0;
    entry.taken = 0;
    entry.isDue = false;
    this.#own(entry, owed);
    this.#spill(entry, lane);
    this.#changed(entry);
  }

  /** The event at its head became a dead letter. Where that parks the key, later events wait for somebody. */
  buried(entry: KeyEntry, position: Position, lane: LaneQueue, parked: Parked): void {
    if (!this.#options.parksDead) return;
    this.#spill(entry, lane);
    entry.parkAt(position, parked);
    this.#knownCount -= entry.forgetKnown();
    this.unread.note(entry);
    this.listener.parked(entry.key, parked);
  }

  /** True when a debt of the key may be tried now that its time has come; else it is as soon as the receiver lets go. */
  mayRetry(entry: KeyEntry): boolean {
    entry.isDue = true;
    return entry.lingersFor === undefined;
  }

  /** The receiver let go of an attempt that was given up; returns the debt whose time came meanwhile. */
  letGo(entry: KeyEntry): Owed | undefined {
    entry.lingersFor = undefined;
    this.#advance(entry);
    return entry.isDue && entry.underWay === 0 ? entry.owed : undefined;
  }

  /** False when the key is not parked. */
  release(key: string): boolean {
    let isReleased = false;
    for (const entry of this.#map.under(key)) {
      if (!entry.parked) continue;
      entry.parked = undefined;
      isReleased = true;
      this.unread.note(entry);
      this.#changed(entry);
      this.#advance(entry);
    }
    return isReleased;
  }

  /** Restores what an earlier owner left. */
  recover({ records, released }: KeptKeys, owed: Iterable<Owed>, head: Position): void {
    for (const record of records) {
      const entry = KeyEntry.fromRecord(record, head);
      this.#records.found(entry);
      this.#map.put(entry);
      this.#rangeCount += entry.count;
      this.unread.note(entry);
    }
    for (const debt of owed) {
      if (debt.key === undefined || debt.keyMeaning === undefined) continue;
      const entry = this.#map.obtain(debt.keyMeaning, debt.key);
      // Two debts of one key: the later one is tried beside it, which only a change of versions could leave behind.
      if (entry.owed) continue;
      entry.owed = debt;
      debt.entry = entry;
    }
    for (const entry of [...this.#map]) {
      this.#recount(entry);
      this.#advance(entry);
    }
    for (const release of released) {
      this.#records.released(release);
      this.release(release.key);
    }
  }

  /** An event of the lane that an earlier process may have attempted: the last one of its key. */
  suspect(key: string, position: Position): void {
    const entry = this.#map.obtain(this.#options.meaning!, key);
    if (position <= entry.through) return;
    entry.suspectThrough = position;
    this.append(entry, position);
    this.#advance(entry);
  }

  /** The changes that make the records true. `closing` ends what is reserved, also where nothing else changed. */
  snapshot(closing: boolean): KeySnapshot {
    if (closing) for (const entry of this.#map) this.#records.mark(entry);
    return this.#records.snapshot(({ meaning, key }) => this.#map.findIn(meaning, key), closing);
  }

  committed(snapshot: KeySnapshot): void {
    this.#records.committed(snapshot);
    for (const [entry, tried] of snapshot.written) {
      entry.reserved = tried;
      if (entry.standing !== 'reserving') continue;
      entry.standing = 'nowhere';
      this.#advance(entry);
    }
  }

  /** The records may be durable all the same, and those of a queue that ends reserve less. */
  notCommitted(snapshot: KeySnapshot): void {
    this.#records.notCommitted(snapshot);
    for (const [entry, tried] of snapshot.written) entry.reserved = Math.min(entry.reserved, tried);
  }

  /** What a queue that takes over in this process needs to know. */
  handOver(lane: LaneQueue): KeptKeys {
    this.spill(lane);
    const kept = [...this.#map].filter((entry) => entry.isKept);
    return { records: kept.map((entry) => entry.record(true)), released: [] };
  }

  #take(entry: KeyEntry): Position {
    this.#knownCount--;
    this.#rangeCount--;
    const position = entry.take();
    this.unread.note(entry);
    return position;
  }

  #spill(entry: KeyEntry, lane: LaneQueue): void {
    if (entry.held.length === 0) return;
    const positions = entry.held;
    for (const slot of entry.heldSlots) lane.letOut(slot);
    this.#heldCount -= positions.length;
    this.#knownCount += positions.length;
    this.#rangeCount += positions.length;
    entry.held = [];
    entry.heldSlots = [];
    entry.prepend(positions);
    this.#changed(entry);
    for (const position of positions) this.listener.putOff(position);
  }

  #own(entry: KeyEntry, owed: Owed): void {
    entry.owed = owed;
    owed.entry = entry;
    owed.key = entry.key;
    owed.keyMeaning = entry.meaning;
  }

  #found(entry: KeyEntry, position: Position): void {
    entry.known.push(position);
    this.#knownCount++;
  }

  /** A key that could go on gets a few in any case; others share what is left. */
  #hasRoom(entry: KeyEntry): boolean {
    return entry.known.length < KNOWN_PER_KEY_MAX && this.#knownCount < this.#options.knownMax;
  }

  /** What is settled leaves; the next one stands in line, is read, or the key is free. */
  #advance(entry: KeyEntry): void {
    if (!entry.mayGoOn || entry.standing !== 'nowhere') return;
    if (entry.held.length > 0 || entry.known.length > 0) {
      entry.standing = entry.isNextSuspect ? 'suspect' : 'turn';
      (entry.isNextSuspect ? this.#suspects : this.#turns).push(entry);
    } else if (entry.isFree) {
      this.#free(entry);
    } else {
      this.unread.note(entry);
    }
  }

  #free(entry: KeyEntry): void {
    this.#changed(entry);
    this.#map.delete(entry);
    this.unread.forget(entry);
    if (entry.count === 0) return;
    this.#rangeCount -= entry.count;
    // What was not found and had expired was one of these; what had expired before it came to be in the range was counted then.
    const expired = Math.min(Math.max(0, entry.count), entry.expiredCount);
    if (expired > 0) this.listener.expired(expired);
    if (entry.count > expired) this.listener.missing(entry.count - expired, entry.hasLost);
  }

  #leaveLine(entry: KeyEntry): void {
    const line = entry.standing === 'suspect' ? this.#suspects : this.#turns;
    if (line.peek() !== entry) throw new TypeError('The key does not stand first in its line.');
    line.shift();
    entry.standing = 'nowhere';
  }

  #changed(entry: KeyEntry): void {
    this.#recount(entry);
    if (!this.#options.durable) return;
    this.#records.mark(entry);
    if (this.#records.isDirty) this.onDirty();
  }

  #recount(entry: KeyEntry): void {
    const isBlocked = entry.isKept || entry.owed !== undefined;
    const isParked = entry.parked !== undefined;
    this.#blockedCount += Number(isBlocked) - Number(entry.isBlocked);
    this.#parkedCount += Number(isParked) - Number(entry.isParked);
    entry.isBlocked = isBlocked;
    entry.isParked = isParked;
  }
}
