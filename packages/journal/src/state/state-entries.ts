import type { JsonValue, Revision, StateEntry, StateKind, StatePage } from '@event-manager/core';

/** One kept value: its JSON text and the commit that wrote it. */
export interface KeptValue {
  readonly json: string;
  readonly revision: Revision;
}

/** A change ready to be applied; without `json` it deletes. */
export interface EncodedChange {
  readonly kind: StateKind;
  readonly key: string;
  readonly json: string | undefined;
}

interface Shelf {
  readonly values: Map<string, KeptValue>;
  /** Keys in order as of the last page; `added` came since, and some may be gone. */
  sorted: string[];
  added: Set<string>;
  removedCount: number;
}

/**
 * The state in memory. Values are JSON text: that is half the memory of parsed objects, exactly what the disk holds, and
 * nobody can reach into the store through a value handed out. Order by key is made when a page is asked for: a few new keys
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

  get(kind: StateKind, key: string): StateEntry | undefined {
    const kept = this.#shelves.get(kind)?.values.get(key);
    return kept === undefined ? undefined : toEntry(key, kept);
  }

  apply({ kind, key, json }: EncodedChange, revision: Revision): void {
    const shelf = this.#shelf(kind);
    const before = shelf.values.get(key);
    if (before !== undefined) this.characters -= key.length + before.json.length;
    if (json === undefined) {
      if (!shelf.values.delete(key)) return;
      if (!shelf.added.delete(key)) shelf.removedCount++;
      return;
    }
    if (before === undefined) shelf.added.add(key);
    shelf.values.set(key, { json, revision });
    this.characters += key.length + json.length;
  }

  load(kind: StateKind, { prefix = '', after, limit }: { prefix?: string; after?: string; limit: number }): StatePage {
    const shelf = this.#shelf(kind);
    const keys = sortedKeys(shelf);
    let index = firstAtOrBehind(keys, prefix);
    if (after !== undefined) index = Math.max(index, firstBehind(keys, after));
    const entries: StateEntry[] = [];
    for (; index < keys.length && keys[index]!.startsWith(prefix); index++) {
      if (entries.length >= limit) {
        const last = entries.at(-1);
        return last === undefined ? { entries } : { entries, next: last.key };
      }
      entries.push(toEntry(keys[index]!, shelf.values.get(keys[index]!)!));
    }
    return { entries };
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

function toEntry(key: string, { json, revision }: KeptValue): StateEntry {
  return { key, value: JSON.parse(json) as JsonValue, revision };
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
