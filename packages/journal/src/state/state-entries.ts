import type { Revision, StateKind } from '@event-manager/core';

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
  /** Keys in order as of the last page; `added` came since, and some may be gone. */
  sorted: string[];
  added: Set<string>;
  removedCount: number;
}

/** Of these kinds there may be very many, each with a whole event in it. */
const LARGE_KINDS: ReadonlySet<StateKind> = new Set<StateKind>(['dead-letter', 'schedule-event']);
/** Their values up to so many characters stay in memory: a place to read them from would not be much smaller. */
const INLINE_CHARACTERS_MAX = 128;

/**
 * The state in memory. Dead letters wait for people and scheduled events for their time, each with the whole event in it, and
 * may be many: of those only the place on disk is kept. Other values are JSON text: that is half the memory of parsed objects,
 * exactly what the disk holds, and nobody can reach into the store through a value handed out. Order by key is made when a page is asked for: a few new keys
 * are merged into the known order instead of sorting everything again.
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
      if (!shelf.values.delete(key)) return;
      if (!shelf.added.delete(key)) shelf.removedCount++;
      return;
    }
    if (before === undefined) shelf.added.add(key);
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

  /** A page of keys, ascending. */
  page(kind: StateKind, { prefix = '', after, limit }: { prefix?: string; after?: string; limit: number }): KeyPage {
    const sorted = sortedKeys(this.#shelf(kind));
    let index = firstAtOrBehind(sorted, prefix);
    if (after !== undefined) index = Math.max(index, firstBehind(sorted, after));
    const keys: string[] = [];
    for (; index < sorted.length && sorted[index]!.startsWith(prefix); index++) {
      if (keys.length >= limit) return { keys, hasMore: true };
      keys.push(sorted[index]!);
    }
    return { keys, hasMore: false };
  }

  /** Every value, in no particular order. May be walked while commits go on: a key changed meanwhile may come in either form. */
  *all(): Generator<readonly [StateKind, string, KeptValue]> {
    for (const [kind, { values }] of this.#shelves) for (const [key, kept] of values) yield [kind, key, kept];
  }

  #shelf(kind: StateKind): Shelf {
    let shelf = this.#shelves.get(kind);
    if (shelf === undefined) {
      shelf = { values: new Map(), sorted: [], added: new Set(), removedCount: 0 };
      this.#shelves.set(kind, shelf);
    }
    return shelf;
  }
}

function sortedKeys(shelf: Shelf): readonly string[] {
  if (shelf.added.size === 0 && shelf.removedCount === 0) return shelf.sorted;
  const added = [...shelf.added].sort();
  // A key that was removed and came again is in both lists.
  const kept =
    shelf.removedCount === 0
      ? shelf.sorted
      : shelf.sorted.filter((key) => shelf.values.has(key) && !shelf.added.has(key));
  shelf.sorted = mergeSorted(kept, added);
  shelf.added = new Set();
  shelf.removedCount = 0;
  return shelf.sorted;
}

function mergeSorted(a: readonly string[], b: readonly string[]): string[] {
  if (b.length === 0) return [...a];
  const merged: string[] = [];
  let next = 0;
  for (const key of a) {
    while (next < b.length && b[next]! < key) merged.push(b[next++]!);
    merged.push(key);
  }
  while (next < b.length) merged.push(b[next++]!);
  return merged;
}

/** Index of the first key ≥ `bound`; `<` on strings compares UTF-16 code units, as the contract says. */
function firstAtOrBehind(keys: readonly string[], bound: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstBehind(keys: readonly string[], bound: string): number {
  const index = firstAtOrBehind(keys, bound);
  return keys[index] === bound ? index + 1 : index;
}
