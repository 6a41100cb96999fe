import { type Revision, SortedKeys, type StateKind } from '@event-manager/core';

/** Where the frame that holds a value stands. */
export interface FramePlace {
  readonly file: string;
  /** What the checksums of the frame start from. */
  readonly seed: number;
  readonly at: number;
  readonly bytes: number;
}

/** One kept value: its JSON text or where that is to be read, and the commit that wrote it. */
export interface KeptValue {
  readonly revision: Revision;
  readonly characters: number;
  readonly json: string | undefined;
  /** Set when `json` is not; moves when a snapshot takes the value over. */
  frame: FramePlace | undefined;
}

/** A change ready to be applied; without `json` it deletes. */
export interface EncodedChange {
  readonly kind: StateKind;
  readonly key: string;
  readonly json: string | undefined;
}

export interface KeyPage {
  readonly keys: readonly string[];
  readonly hasMore: boolean;
}

interface Shelf {
  readonly values: Map<string, KeptValue>;
  /** Those in order, as far as they are; all that come later take their places as soon as all are. */
  readonly sorted: SortedKeys;
  /** What is not in order yet: nothing of a kind of which nobody has asked for a page, `undefined` when all is. */
  unsorted: 'all' | Iterator<string> | undefined;
}

/** Of these kinds there may be very many, each with a whole event or a state of any size in it. */
const LARGE_KINDS: ReadonlySet<StateKind> = new Set<StateKind>(['dead-letter', 'schedule-event', 'snapshot']);
/** Their values up to so many characters stay in memory: a place to read them from would not be much smaller. */
const INLINE_CHARACTERS_MAX = 128;
/** Keys that are put in their places before others may have a turn. */
const STEP_KEYS = 256;

/**
 * The state in memory. Dead letters wait for people and scheduled events for their time, each with the whole event in it, and
 * may be many: of those only the place on disk is kept. Other values are JSON text: that is half the memory of parsed objects,
 * exactly what the disk holds, and nobody can reach into the store through a value handed out. Keys are brought in order when
 * the first page of their kind is asked for, in steps, since there may be millions; from then on they are kept so.
 */
export class StateEntries {
  readonly #shelves = new Map<StateKind, Shelf>();
  /** Characters of all keys and values: about the size of a snapshot. */
  characters = 0;

  get kinds(): readonly StateKind[] {
    return [...this.#shelves.keys()];
  }

  get count(): number {
    let count = 0;
    for (const { values } of this.#shelves.values()) count += values.size;
    return count;
  }

  countOf(kind: StateKind): number {
    return this.#shelves.get(kind)?.values.size ?? 0;
  }

  revisionOf(kind: StateKind, key: string): Revision {
    return this.#shelves.get(kind)?.values.get(key)?.revision ?? 0;
  }

  get(kind: StateKind, key: string): KeptValue | undefined {
    return this.#shelves.get(kind)?.values.get(key);
  }

  /** Makes a change that is on disk, in the given frame. */
  apply({ kind, key, json }: EncodedChange, revision: Revision, frame: FramePlace): void {
    const shelf = this.#shelf(kind);
    const before = shelf.values.get(key);
    if (before !== undefined) this.characters -= key.length + before.characters;
    if (json === undefined) {
      if (shelf.values.delete(key)) shelf.sorted.delete(key);
      return;
    }
    // Until all are in order, whoever brings them there comes to this one, too.
    if (before === undefined && shelf.unsorted === undefined) shelf.sorted.add(key);
    const characters = json.length;
    const isInline = !LARGE_KINDS.has(kind) || characters <= INLINE_CHARACTERS_MAX;
    shelf.values.set(key, {
      revision,
      characters,
      json: isInline ? json : undefined,
      frame: isInline ? undefined : frame,
    });
    this.characters += key.length + characters;
  }

  isSorted(kind: StateKind): boolean {
    return this.#shelf(kind).unsorted === undefined;
  }

  /** Brings the keys of a kind in order, a few in each step; commits may go on meanwhile, and several may do it together. */
  *sort(kind: StateKind): Generator<void, void, undefined> {
    const shelf = this.#shelf(kind);
    if (shelf.unsorted === 'all') shelf.unsorted = shelf.values.keys();
    for (let count = 1; shelf.unsorted !== undefined; count++) {
      const { value, done } = shelf.unsorted.next();
      if (done) shelf.unsorted = undefined;
      else shelf.sorted.add(value);
      if (count % STEP_KEYS === 0) yield;
    }
  }

  /** A page of keys, ascending. */
  page(kind: StateKind, options: { prefix?: string; after?: string; limit: number }): KeyPage {
    // Whoever does not want to hold up others has them sorted before.
    for (const _ of this.sort(kind));
    return this.#shelf(kind).sorted.page(options);
  }

  /** Every value, in no particular order. May be walked while commits go on: a key changed meanwhile may come in either form. */
  *all(): Generator<readonly [StateKind, string, KeptValue]> {
    for (const [kind, { values }] of this.#shelves) for (const [key, kept] of values) yield [kind, key, kept];
  }

  #shelf(kind: StateKind): Shelf {
    let shelf = this.#shelves.get(kind);
    if (shelf === undefined) {
      shelf = { values: new Map(), sorted: new SortedKeys(), unsorted: 'all' };
      this.#shelves.set(kind, shelf);
    }
    return shelf;
  }
}
