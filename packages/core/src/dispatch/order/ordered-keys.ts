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
import type { GivenUp } from '../claimed.ts';
import type { KeptEvent } from '../kept-event.ts';
import type { LaneQueue } from '../lane-queue.ts';
import type { Owed } from '../owed.ts';
import { HeldEvents } from './held-events.ts';
import { KeyCensus } from './key-census.ts';
import { KeyEntry } from './key-entry.ts';
import { KeyLines } from './key-lines.ts';
import { DEAF, type KeyListener } from './key-listener.ts';
import { KeyMap } from './key-map.ts';
import { KeyRanges } from './key-ranges.ts';
import { isReleaseOf, type Parked } from './key-record.ts';
import { KeyRecords, type KeySnapshot } from './key-records.ts';
import type { KeptKeys } from './open-keys.ts';
import { type KeyMeaning, type KeyReader, keyReader } from './ordering-key.ts';
import { endOfAhead, type SettledAhead } from './settled-ahead.ts';
import type { UnreadRanges } from './unread-ranges.ts';

export interface OrderedKeysOptions {
  /** Absent where nothing is ordered any more: what waits from before goes on as it was meant. */
  readonly meaning: KeyMeaning | undefined;
  /** What some priorities had settled before this order was kept. */
  readonly ahead?: SettledAhead | undefined;
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

export class OrderedKeys {
  listener: KeyListener = DEAF;
  /** A record is not true any more. */
  onDirty: () => void = () => {};
  /** A debt whose time has come stands at the head of its key now. */
  onReady: (owed: Owed) => void = () => {};
  /** Those that may go on. */
  readonly lines = new KeyLines();
  /** What waits in the lane. */
  readonly held: HeldEvents;
  readonly keyOf: KeyReader | undefined;
  readonly #options: OrderedKeysOptions;
  readonly #map: KeyMap;
  readonly #ranges: KeyRanges;
  readonly #census = new KeyCensus();
  readonly #records: KeyRecords;
  /** Where `ahead` ends: each event of a free key asks. */
  readonly #aheadThrough: Position;

  constructor(options: OrderedKeysOptions) {
    this.#options = options;
    this.#map = new KeyMap(options.meaning);
    this.#aheadThrough = options.ahead ? endOfAhead(options.ahead) : 0;
    this.held = new HeldEvents(options.heldMax);
    this.#records = new KeyRecords(options.prefix);
    this.keyOf = options.meaning === undefined ? undefined : keyReader(options.meaning);
    this.#ranges = new KeyRanges({
      knownMax: options.knownMax,
      find: (meaning, key) => this.#map.findIn(meaning, key),
      advance: (entry) => this.#advance(entry),
    });
  }

  /** What a scan of the log has to find. */
  get unread(): UnreadRanges {
    return this.#ranges.unread;
  }

  /** Keys that wait for a retry, or go on after one. */
  get blockedCount(): number {
    return this.#census.waiting - this.parkedCount;
  }

  get parkedCount(): number {
    return this.#census.parked.size;
  }

  /** Events that wait behind others of their key. */
  get waitingCount(): number {
    return this.held.count + this.#ranges.count;
  }

  get isSaturated(): boolean {
    return this.#census.waiting >= this.#options.blockedMax;
  }

  /** Nothing is left but keys that somebody has to release. */
  get isSettled(): boolean {
    return this.#map.size <= this.parkedCount && this.held.count === 0;
  }

  /** What keeps its meaning in the progress while a lane has not come past it. */
  aheadOf(floor: Position): SettledAhead | undefined {
    return floor < this.#aheadThrough ? this.#options.ahead : undefined;
  }

  get isDirty(): boolean {
    return this.#records.isDirty;
  }

  find(key: string): KeyEntry | undefined {
    return this.#map.find(key);
  }

  /** Keys that somebody has to release. */
  get parked(): ReadonlySet<KeyEntry> {
    return this.#census.parked;
  }

  /** What is not free under this key, also as it was meant before. */
  under(key: string): Iterable<KeyEntry> {
    return this.#map.under(key);
  }

  entries(): Iterable<KeyEntry> {
    return this.#map;
  }

  /** The key was free; an event of it is claimed. */
  begin(key: string, position: Position): KeyEntry {
    const entry = this.#obtain(key, position);
    entry.underWay++;
    entry.head = position;
    return entry;
  }

  /** The event left the lane; it is owed by the range of its key. */
  append(entry: KeyEntry, position: Position): void {
    this.#ranges.append(entry, position);
    this.#changed(entry);
  }

  /** What is held of all keys goes into their ranges: the lane has grown too long, or ends here. */
  spill(lane: LaneQueue): void {
    for (const entry of this.held.entries) this.#spill(entry, lane);
  }

  /** Claims the next event of the key that stands first in turn: a held one (its slot), or one of the range. */
  claimTurn(entry: KeyEntry, lane: LaneQueue): { position: Position; slot: number } {
    this.lines.leave(entry);
    entry.underWay++;
    const held = this.held.claimNext(entry, lane);
    if (held) {
      entry.head = held.position;
      return held;
    }
    entry.taken = this.#ranges.take(entry);
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
    this.lines.leave(entry);
    entry.standing = 'reserving';
    entry.reserveAhead();
    this.#changed(entry);
  }

  /** Takes the suspect of the key that stands first: it becomes a debt, `owed`, which is attempted again at once. */
  takeSuspect(entry: KeyEntry, make: (position: Position) => Owed): Owed {
    this.lines.leave(entry);
    const owed = make(this.#ranges.take(entry));
    this.#own(entry, owed);
    this.#changed(entry);
    return owed;
  }

  /** The next event of the key that stands first needs no attempt. */
  pass(entry: KeyEntry, lane: LaneQueue): void {
    this.lines.leave(entry);
    const held = this.held.claimNext(entry, lane);
    if (held) lane.settle(held.slot);
    else this.#ranges.take(entry);
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
    this.#endRange(entry);
  }

  /** The event at its head became a dead letter. Where that parks the key, later events wait for somebody. */
  buried(entry: KeyEntry, position: Position, lane: LaneQueue, parked: Parked): void {
    if (!this.#options.parksDead) return;
    this.#spill(entry, lane);
    entry.parkAt(position, parked);
    this.#ranges.parked(entry);
    this.listener.parked(entry.key, parked);
  }

  /**
   * A dead letter of the key is a debt again. It goes before everything that waits of the key, and behind what of it is tried
   * already.
   */
  takeUp(owed: Owed, key: string, lane: LaneQueue): void {
    const entry = this.#obtain(key, owed.position);
    this.#spill(entry, lane);
    owed.entry = entry;
    owed.key = entry.key;
    owed.keyMeaning = entry.meaning;
    entry.redriven.push(owed);
    entry.redriven.sort((a, b) => a.position - b.position);
    this.#changed(entry);
    this.#advance(entry);
  }

  /** It waits behind others of its key, or is tried as the next of these. */
  owes({ position, lane }: KeptEvent, key: string): boolean {
    for (const entry of this.#map.under(key)) if (entry.owes(position, lane)) return true;
    return false;
  }

  /** The letter is redriven and that has ended, or it is discarded: a key that is parked for it goes on. */
  letterClosed(entry: KeyEntry, deadLetterId: string): void {
    if (entry.parked?.deadLetterId === deadLetterId) this.release(entry);
  }

  /** True when a debt of the key may be tried now that its time has come; else it is as soon as the receiver lets go. */
  mayRetry(owed: Owed): boolean {
    const entry = owed.entry!;
    if (entry.owed !== owed) {
      owed.hasCome = true;
      return false;
    }
    entry.isDue = true;
    return entry.lingersFor === undefined;
  }

  /** An attempt is given up: keys of which its receiver has said nothing wait until it lets go. */
  linger(attempt: GivenUp): void {
    attempt.batch.forEach(({ claimed: { entry } }, at) => {
      if (entry && !attempt.settledAt(at)) entry.lingersFor = attempt;
    });
  }

  /** The receiver let go of it, or had time enough: its keys may go on. Returns the debts whose time came meanwhile. */
  letGo(attempt: GivenUp): Owed[] {
    const due: Owed[] = [];
    for (const { claimed } of attempt.batch) {
      const { entry } = claimed;
      if (entry?.lingersFor !== attempt) continue;
      entry.lingersFor = undefined;
      this.#advance(entry);
      if (entry.isDue && entry.underWay === 0 && entry.owed) due.push(entry.owed);
    }
    return due;
  }

  /** The key goes on, if it is parked, and for nothing that came later than `parked`. */
  release(entry: KeyEntry, parked = entry.parked): void {
    if (!parked || entry.parked !== parked) return;
    entry.parked = undefined;
    this.unread.note(entry);
    this.#changed(entry);
    this.#advance(entry);
  }

  /** Restores what an earlier owner left. */
  recover({ records, released }: KeptKeys, owed: Iterable<Owed>, head: Position): void {
    for (const record of records) {
      const entry = KeyEntry.fromRecord(record, head);
      this.#records.found(entry);
      this.#map.put(entry);
      this.#ranges.restored(entry);
    }
    const { meaning, ahead } = this.#options;
    for (const debt of owed) {
      if (debt.key === undefined || debt.keyMeaning === undefined) continue;
      const entry = this.#map.obtain(debt.keyMeaning, debt.key);
      if (debt.keyMeaning === meaning && !entry.isKept) entry.ahead = ahead;
      if (debt.redriven && debt.failures === 0) {
        debt.entry = entry;
        entry.redriven.push(debt);
      } else if (!entry.owed) {
        entry.owed = debt;
        debt.entry = entry;
      }
      // Else two were tried of one key: the later one is tried beside it, which only a change of versions could leave behind.
    }
    for (const entry of [...this.#map]) {
      this.#census.recount(entry);
      this.#advance(entry);
    }
    for (const release of released) {
      this.#records.released(release);
      const entry = this.#map.findIn(release.meaning, release.key);
      if (entry && isReleaseOf(release, entry.parked)) this.release(entry);
    }
  }

  /** An event of the lane that an earlier process may have attempted: the last one of its key. */
  suspect(key: string, position: Position): void {
    const entry = this.#obtain(key, position);
    if (position <= entry.through) return;
    entry.suspect(position);
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

  #obtain(key: string, position: Position): KeyEntry {
    const entry = this.#map.obtain(this.#options.meaning!, key);
    if (position < this.#aheadThrough) entry.ahead ??= this.#options.ahead;
    return entry;
  }

  #spill(entry: KeyEntry, lane: LaneQueue): void {
    if (entry.held.length === 0) return;
    const positions = this.held.letOut(entry, lane);
    this.#ranges.prepend(entry, positions);
    this.#changed(entry);
    for (const position of positions) this.listener.putOff(position);
  }

  #own(entry: KeyEntry, owed: Owed): void {
    entry.owed = owed;
    owed.entry = entry;
    owed.key = entry.key;
    owed.keyMeaning = entry.meaning;
  }

  /** Nothing of the key is tried: a debt of it that was taken up again goes next. */
  #takeNext(entry: KeyEntry): void {
    if (entry.owed || entry.underWay > 0 || entry.standing !== 'nowhere') return;
    const next = entry.redriven.shift();
    if (!next) return;
    this.#own(entry, next);
    this.#changed(entry);
    if (!next.hasCome) return;
    next.hasCome = false;
    if (this.mayRetry(next)) this.onReady(next);
  }

  /** What is settled leaves; the next one stands in line, is read, or the key is free. */
  #advance(entry: KeyEntry): void {
    this.#takeNext(entry);
    this.#endRange(entry);
    if (!entry.mayGoOn || entry.standing !== 'nowhere') return;
    if (entry.held.length > 0 || entry.known.length > 0) {
      this.lines.join(entry);
    } else if (entry.isFree) {
      this.#free(entry);
    } else {
      this.unread.note(entry);
    }
  }

  #free(entry: KeyEntry): void {
    this.#changed(entry);
    this.#map.delete(entry);
  }

  /**
   * What was not found of a range is counted when its end was read and nothing of it is under way. The key may still wait for
   * its debt then, but its record owes nothing any more and goes: whoever removes the debt would know of none of these.
   */
  #endRange(entry: KeyEntry): void {
    if (entry.owesRange || entry.count === 0) return;
    const missing = this.#ranges.ended(entry);
    this.#changed(entry);
    // What was not found and had expired was one of these; what had expired before it came to be in the range was counted then.
    const expired = Math.min(Math.max(0, missing), entry.expiredCount);
    entry.expiredCount = 0;
    if (expired > 0) this.listener.expired(expired);
    if (missing > expired) this.listener.missing(missing - expired, entry.hasLost);
  }

  #changed(entry: KeyEntry): void {
    this.#census.recount(entry);
    if (!this.#options.durable) return;
    this.#records.mark(entry);
    if (this.#records.isDirty) this.onDirty();
  }
}
