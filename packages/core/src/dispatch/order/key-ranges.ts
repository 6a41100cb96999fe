import type { Position } from '../../contracts/event-store.ts';
import type { KeyEntry } from './key-entry.ts';
import type { KeyMeaning } from './ordering-key.ts';
import { UnreadRanges } from './unread-ranges.ts';

/** Positions of one key that memory knows of its range. */
const KNOWN_PER_KEY_MAX = 256;

export interface KeyRangesOptions {
  /** Positions in memory, of all keys. */
  readonly knownMax: number;
  readonly find: (meaning: KeyMeaning, key: string) => KeyEntry | undefined;
  /** More of the key is known, or there is no more. */
  readonly advance: (entry: KeyEntry) => void;
}

/** The ranges of all keys together: how many events wait in them, and how many of these memory knows. */
export class KeyRanges {
  readonly unread: UnreadRanges;
  readonly #knownMax: number;
  #known = 0;
  #count = 0;

  constructor({ knownMax, find, advance }: KeyRangesOptions) {
    this.#knownMax = knownMax;
    this.unread = new UnreadRanges({
      find,
      advance,
      hasRoom: (entry) => this.#hasRoom(entry),
      isRoomy: () => this.#known <= knownMax / 2,
      found: (entry, position) => {
        entry.known.push(position);
        this.#known++;
      },
    });
  }

  /** Events that wait in them. */
  get count(): number {
    return this.#count;
  }

  /** An earlier owner left what the entry has. */
  restored(entry: KeyEntry): void {
    this.#count += entry.count;
    this.unread.note(entry);
  }

  append(entry: KeyEntry, position: Position): void {
    const before = entry.known.length;
    entry.append(position, this.#hasRoom(entry) && !entry.parked);
    this.#known += entry.known.length - before;
    this.#count++;
    this.unread.note(entry);
  }

  prepend(entry: KeyEntry, positions: readonly Position[]): void {
    entry.prepend(positions);
    this.#known += positions.length;
    this.#count += positions.length;
  }

  take(entry: KeyEntry): Position {
    this.#known--;
    this.#count--;
    const position = entry.take();
    this.unread.note(entry);
    return position;
  }

  /** Somebody has to release the key: nothing of it is known or read until then. */
  parked(entry: KeyEntry): void {
    this.#known -= entry.forgetKnown();
    this.unread.note(entry);
  }

  /** Nothing of the range is left; returns how many of its events were not found. */
  ended(entry: KeyEntry): number {
    const { count } = entry;
    this.unread.forget(entry);
    this.#count -= count;
    entry.count = 0;
    return count;
  }

  /** A key that could go on gets a few in any case; others share what is left. */
  #hasRoom(entry: KeyEntry): boolean {
    return entry.known.length < KNOWN_PER_KEY_MAX && this.#known < this.#knownMax;
  }
}
