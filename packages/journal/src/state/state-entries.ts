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
  /** Keys in order as of the last page, from `from` on; `added` came since, and `removedCount` of them are gone. */
  sorted: string[];
  from: number;
  added: Set<string>;
  removedCount: number;
}

/** Of these kinds there may be very many, each with a whole event in it. */
const LARGE_KINDS: ReadonlySet<StateKind> = new Set<StateKind>(['dead-letter', 'schedule-event']);
/** Their values up to so many characters stay in memory: a place to read them from would not be much smaller. */
const INLINE_CHARACTERS_MAX = 128;
/** So many keys are put in their places one by one. */
const FEW = 64;

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
    const shelf = this.#shelf(kind);
    const sorted = sortedKeys(shelf);
    let index = firstAtOrBehind(sorted, prefix, shelf.from);
    if (after !== undefined) index = Math.max(index, firstBehind(sorted, after, shelf.from));
    const keys: string[] = [];
    for (; index < sorted.length && sorted[index]!.startsWith(prefix); index++) {
      if (!shelf.values.has(sorted[index]!)) continue;
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
      shelf = { values: new Map(), sorted: [], from: 0, added: new Set(), removedCount: 0 };
      this.#shelves.set(kind, shelf);
    }
    return shelf;
  }
}

/**
 * Keys in order from `shelf.from` on; some may be gone. What is done for a page is about as much as changed since the last
 * one: a million keys of which a thousand go and a thousand come must not be sorted, or copied, as a whole.
 */
function sortedKeys(shelf: Shelf): readonly string[] {
  const { length } = shelf.sorted;
  if (shelf.removedCount > (length - shelf.from) / 2 + FEW || shelf.from > length / 2 + FEW) {
    shelf.sorted = shelf.sorted.filter((key, at) => at >= shelf.from && shelf.values.has(key) && !shelf.added.has(key));
    shelf.from = 0;
    shelf.removedCount = 0;
  }
  if (shelf.added.size > 0) {
    const added = [...shelf.added].sort();
    if (added.length <= FEW) for (const key of added) insert(shelf, key);
    else mergeInto(shelf, added);
    shelf.added = new Set();
  }
  while (shelf.from < shelf.sorted.length && !shelf.values.has(shelf.sorted[shelf.from]!)) {
    shelf.from++;
    shelf.removedCount--;
  }
  return shelf.sorted;
}

/** A key that was removed and came again may stand there still. */
function insert(shelf: Shelf, key: string): void {
  const at = firstAtOrBehind(shelf.sorted, key, shelf.from);
  if (shelf.sorted[at] === key) shelf.removedCount--;
  else shelf.sorted.splice(at, 0, key);
}

function mergeInto(shelf: Shelf, added: readonly string[]): void {
  const merged: string[] = [];
  let next = 0;
  for (let at = shelf.from; at < shelf.sorted.length; at++) {
    const key = shelf.sorted[at]!;
    while (next < added.length && added[next]! < key) merged.push(added[next++]!);
    if (added[next] === key) {
      shelf.removedCount--;
      next++;
    }
    merged.push(key);
  }
  while (next < added.length) merged.push(added[next++]!);
  shelf.sorted = merged;
  shelf.from = 0;
}

/** Index of the first key ≥ `bound`; `<` on strings compares UTF-16 code units, as the contract says. */
function firstAtOrBehind(keys: readonly string[], bound: string, from: number): number {
  let low = from;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstBehind(keys: readonly string[], bound: string, from: number): number {
  const index = firstAtOrBehind(keys, bound, from);
  return keys[index] === bound ? index + 1 : index;
}
