/**
 * Which durable records of keys are not true any more. A record is written in the commit of the queue that its key changed
 * with, so the floor never passes an event that no record owes.
 *
 * A name in `#recorded` may have a record: it was found, or written by a commit that may have happened. So a key that is
 * free leaves none behind, also when a commit failed without anybody knowing how far it came.
 */
import type { Position } from '../../contracts/event-store.ts';
import type { StateChange } from '../../contracts/state-store.ts';
import type { KeyEntry } from './key-entry.ts';
import { type KeyRelease, keyRecordName, keyRecordToJson, keyReleaseName } from './key-record.ts';

/** A commit under way. */
export interface KeySnapshot {
  readonly changes: readonly StateChange[];
  /** The keys that have a record then, and up to where it reserves first attempts. */
  readonly written: ReadonlyMap<KeyEntry, Position>;
  readonly dirty: ReadonlyMap<string, KeyEntry>;
  readonly heeded: readonly string[];
}

export class KeyRecords {
  readonly #prefix: string;
  #dirty = new Map<string, KeyEntry>();
  readonly #recorded = new Set<string>();
  /** Releases that were heeded. */
  #heeded: string[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#heeded.length > 0;
  }

  /** The record of the key was found. */
  found(entry: KeyEntry): void {
    this.#recorded.add(entry.id);
  }

  /** It was asked for by a record of its own, which goes with the next commit. */
  released(release: KeyRelease): void {
    this.#heeded.push(this.#prefix + keyReleaseName(release));
  }

  /** The record of the key may say something else now. Most keys are free again without ever having had one. */
  mark(entry: KeyEntry): void {
    if (entry.isKept || (this.#recorded.size > 0 && this.#recorded.has(entry.id))) this.#dirty.set(entry.id, entry);
  }

  /** `live` gives what the key is by now: an entry that became free may have been followed by another one. */
  snapshot(live: (entry: KeyEntry) => KeyEntry | undefined, closing: boolean): KeySnapshot {
    const changes: StateChange[] = [];
    const written = new Map<KeyEntry, Position>();
    const dirty = this.#dirty;
    this.#dirty = new Map();
    const heeded = this.#heeded;
    this.#heeded = [];
    for (const key of heeded) changes.push({ kind: 'blocked', key });
    for (const [id, before] of dirty) {
      const entry = live(before);
      const key = `${this.#prefix}${keyRecordName(before.meaning, before.key)}`;
      if (entry?.isKept) {
        const record = entry.record(closing);
        changes.push({ kind: 'blocked', key, value: keyRecordToJson(record) });
        written.set(entry, record.tried);
        this.#recorded.add(id);
      } else if (this.#recorded.has(id)) {
        changes.push({ kind: 'blocked', key });
      }
    }
    return { changes, written, dirty, heeded };
  }

  committed({ written, dirty }: KeySnapshot): void {
    const kept = new Set([...written.keys()].map((entry) => entry.id));
    for (const id of dirty.keys()) if (!kept.has(id) && !this.#dirty.has(id)) this.#recorded.delete(id);
  }

  notCommitted({ dirty, heeded }: KeySnapshot): void {
    this.#heeded = [...heeded, ...this.#heeded];
    for (const [id, entry] of dirty) if (!this.#dirty.has(id)) this.#dirty.set(id, entry);
  }
}
