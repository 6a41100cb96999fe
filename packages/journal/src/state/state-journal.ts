import {
  EventManagerError,
  isEventManagerError,
  type Lease,
  type LocalLeases,
  type Revision,
  type Runtime,
  type StateChange,
  type StateEntry,
  type StateKind,
  type StatePage,
  type StateStore,
} from '@event-manager/core';
import { runSliced } from '../index/run-sliced.ts';
import type { CommitLoop } from './commit-loop.ts';
import type { EncodedChange, StateEntries } from './state-entries.ts';
import type { StateValues } from './state-values.ts';

/** What an open state store consists of. */
export interface OpenState {
  readonly entries: StateEntries;
  readonly values: StateValues;
  readonly leases: LocalLeases;
  readonly commits: CommitLoop;
  readonly runtime: Runtime;
}

/** Longest key, in characters; the same on every adapter so that code moves between them. */
const KEY_CHARACTERS_MAX = 512;

/** The state store of the journal: reads answer from memory, but for large dead letters; commits go through the log. */
export class StateJournal implements StateStore {
  /** Set by the adapter while it is open. */
  opened: OpenState | undefined;

  async load(kind: StateKind, options: { prefix?: string; after?: string; limit: number }): Promise<StatePage> {
    const { entries, values, runtime } = this.#open();
    // The first page of a kind: a million keys are not brought in order while everybody waits.
    if (!entries.isSorted(kind)) await runSliced(entries.sort(kind), runtime);
    const { keys, hasMore } = entries.page(kind, options);
    const found: StateEntry[] = [];
    // Looked up at once, read one after the other: a page shows one moment of the state.
    for (const { key, kept } of keys.map((name) => ({ key: name, kept: entries.get(kind, name) }))) {
      const entry = await values.entry(kind, key, kept).catch(passOverDamage);
      if (entry !== undefined) found.push(entry);
    }
    const last = keys.at(-1);
    return hasMore && last !== undefined ? { entries: found, next: last } : { entries: found };
  }

  async get(kind: StateKind, keys: readonly string[]): Promise<readonly (StateEntry | undefined)[]> {
    const { entries, values } = this.#open();
    return Promise.all(keys.map((key) => values.entry(kind, key, entries.get(kind, key))));
  }

  async commit(changes: readonly StateChange[]): Promise<Revision> {
    const { commits } = this.#open();
    return commits.commit(changes, changes.map(encodeChange));
  }

  async acquire(resources: readonly string[], options: { owner: string; ttlMs: number }): Promise<readonly Lease[]> {
    return this.#open().leases.acquireAll(resources, options);
  }

  async holders(resources: readonly string[]): Promise<readonly (string | undefined)[]> {
    const leases = this.#open().leases;
    return resources.map((resource) => leases.holder(resource));
  }

  async renew(leases: readonly Lease[], options: { ttlMs: number }): Promise<readonly Lease[]> {
    const { leases: held } = this.#open();
    return leases.filter((lease) => !held.renew(lease, options.ttlMs));
  }

  async release(leases: readonly Lease[]): Promise<void> {
    const { leases: held } = this.#open();
    for (const lease of leases) held.release(lease);
  }

  #open(): OpenState {
    if (this.opened === undefined) throw new EventManagerError('closed', 'The journal is not open.');
    return this.opened;
  }
}

/** The value is encoded at once: the caller may change it while the commit waits. */
function encodeChange({ kind, key, value }: StateChange): EncodedChange {
  if (key.length > KEY_CHARACTERS_MAX || key.includes('\0')) {
    throw new TypeError(`A state key has at most ${KEY_CHARACTERS_MAX} characters and no NUL: ${JSON.stringify(key)}`);
  }
  return { kind, key, json: value === undefined ? undefined : JSON.stringify(value) };
}

/** One value that rotted must not hide the others from a reader of them all; the damage is on record by now. */
function passOverDamage(error: unknown): undefined {
  if (!isEventManagerError(error, 'corrupt_record')) throw error;
}
