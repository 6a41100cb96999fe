import type { LostRange, Position } from '../../contracts/event-store.ts';
import type { KeptEvent } from '../kept-event.ts';
import type { KeyEntry } from './key-entry.ts';
import { type KeyMeaning, type KeyReader, keyReader } from './ordering-key.ts';
import { isSettledAhead } from './settled-ahead.ts';

/** Known positions of a key at or below which more are read. */
const REFILL_AT = 8;
/** What a key that may go on gets in any case. */
const KNOWN_MIN = 16;

export interface UnreadRangesOptions {
  readonly find: (meaning: KeyMeaning, key: string) => KeyEntry | undefined;
  /** Memory may know one more position of the key. */
  readonly hasRoom: (entry: KeyEntry) => boolean;
  /** Memory has so much room that also keys are read on which do not need it yet. */
  readonly isRoomy: () => boolean;
  readonly found: (entry: KeyEntry, position: Position) => void;
  /** More of the key is known, or there is no more. */
  readonly advance: (entry: KeyEntry) => void;
}

/**
 * The keys of a subscription of whose range memory does not know the end. A scan of the log finds the events of all of them
 * together; each says by `scanFrom` from where on it wants them, so one scan serves those whose wish lies inside it, and
 * no event is missed or taken twice.
 */
export class UnreadRanges {
  readonly #options: UnreadRangesOptions;
  readonly #entries = new Set<KeyEntry>();
  /** Those of which little is known, and of them those that could go on if anything were. */
  readonly #short = new Set<KeyEntry>();
  readonly #waiting = new Set<KeyEntry>();
  readonly #readers = new Map<KeyMeaning, KeyReader>();

  constructor(options: UnreadRangesOptions) {
    this.#options = options;
  }

  /** To be called when the key changed. A parked one is read when it is released. */
  note(entry: KeyEntry): void {
    if (entry.isComplete || entry.parked) {
      this.forget(entry);
      return;
    }
    this.#entries.add(entry);
    if (entry.known.length <= REFILL_AT) this.#short.add(entry);
    else this.#short.delete(entry);
    if (entry.known.length === 0 && entry.mayGoOn) this.#waiting.add(entry);
    else this.#waiting.delete(entry);
    if (!this.#readers.has(entry.meaning)) this.#readers.set(entry.meaning, keyReader(entry.meaning));
  }

  forget(entry: KeyEntry): void {
    this.#entries.delete(entry);
    this.#short.delete(entry);
    this.#waiting.delete(entry);
  }

  /** A scan would find what there is need or room for. */
  get wantsReading(): boolean {
    return this.#waiting.size > 0 || (this.#short.size > 0 && this.#options.isRoomy());
  }

  /** Behind which position to read, for the key that is furthest behind among those that want more. */
  get wantedAfter(): Position | undefined {
    let from: Position | undefined;
    const isRoomy = this.#options.isRoomy();
    for (const entry of isRoomy ? this.#short : this.#waiting) {
      if (!isRoomy && !entry.mayGoOn) continue;
      if (from === undefined || entry.scanFrom < from) from = entry.scanFrom;
    }
    return from === undefined ? undefined : from - 1;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** An event of the scan that began behind `after`. True when it is wanted soon; one that is expired is told and owed no more. */
  offer(kept: KeptEvent, after: Position, isExpired = false, onExpired: () => void = () => {}): boolean {
    let isWanted = false;
    for (const [meaning, read] of this.#readers) {
      const entry = this.#options.find(meaning, read(kept));
      if (!entry || !this.#entries.has(entry) || entry.isFull) continue;
      const { position } = kept;
      if (entry.scanFrom <= after || position < entry.scanFrom || position > entry.through) continue;
      if (entry.ahead && isSettledAhead(entry.ahead, kept.lane, position)) {
        entry.scanFrom = position + 1;
        continue;
      }
      if (isExpired) {
        entry.scanFrom = position + 1;
        entry.expiredCount++;
        onExpired();
        continue;
      }
      if (!this.#options.hasRoom(entry) && !(entry.mayGoOn && entry.known.length < KNOWN_MIN)) {
        entry.isFull = true;
        entry.scanFrom = position;
        continue;
      }
      entry.scanFrom = position + 1;
      this.#options.found(entry, position);
      isWanted ||= entry.mayGoOn && entry.known.length <= REFILL_AT;
    }
    return isWanted;
  }

  /** The scan behind `after` looked at everything up to `scannedTo`. */
  scanned(after: Position, scannedTo: Position, lost: LostRange | undefined): void {
    for (const entry of this.#entries) {
      if (entry.scanFrom > after) {
        if (lost && lost.from <= entry.through && lost.through >= entry.scanFrom) entry.hasLost = true;
        if (!entry.isFull && entry.scanFrom <= scannedTo) entry.scanFrom = Math.min(scannedTo, entry.through) + 1;
      }
      entry.isFull = false;
      this.note(entry);
      this.#options.advance(entry);
    }
  }
}
