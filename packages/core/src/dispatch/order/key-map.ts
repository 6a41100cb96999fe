import { KeyEntry } from './key-entry.ts';
import type { KeyMeaning } from './ordering-key.ts';

/** The keys that are not free: those of the present meaning, which every claim looks into, and those of former ones. */
export class KeyMap {
  readonly #meaning: KeyMeaning | undefined;
  readonly #present = new Map<string, KeyEntry>();
  readonly #former = new Map<KeyMeaning, Map<string, KeyEntry>>();

  constructor(meaning: KeyMeaning | undefined) {
    this.#meaning = meaning;
  }

  get size(): number {
    let size = this.#present.size;
    for (const entries of this.#former.values()) size += entries.size;
    return size;
  }

  find(key: string): KeyEntry | undefined {
    return this.#present.get(key);
  }

  findIn(meaning: KeyMeaning, key: string): KeyEntry | undefined {
    return this.#of(meaning).get(key);
  }

  /** Every entry under this key, whatever the key means. */
  *under(key: string): Generator<KeyEntry> {
    for (const entries of [this.#present, ...this.#former.values()]) {
      const entry = entries.get(key);
      if (entry) yield entry;
    }
  }

  put(entry: KeyEntry): void {
    this.#of(entry.meaning).set(entry.key, entry);
  }

  /** The entry of the key, which is made if there is none. */
  obtain(meaning: KeyMeaning, key: string): KeyEntry {
    const known = this.findIn(meaning, key);
    if (known) return known;
    const entry = new KeyEntry(key, meaning);
    this.put(entry);
    return entry;
  }

  delete(entry: KeyEntry): void {
    this.#of(entry.meaning).delete(entry.key);
  }

  *[Symbol.iterator](): Generator<KeyEntry> {
    yield* this.#present.values();
    for (const entries of this.#former.values()) yield* entries.values();
  }

  #of(meaning: KeyMeaning): Map<string, KeyEntry> {
    if (meaning === this.#meaning) return this.#present;
    const known = this.#former.get(meaning);
    if (known) return known;
    const entries = new Map<string, KeyEntry>();
    this.#former.set(meaning, entries);
    return entries;
  }
}
