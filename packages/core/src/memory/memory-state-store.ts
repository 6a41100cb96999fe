import type {
  Lease,
  Revision,
  StateChange,
  StateEntry,
  StateKind,
  StatePage,
  StateStore,
} from '../contracts/state-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { JsonValue } from '../json.ts';
import type { Clock } from '../runtime/clock.ts';
import { LocalLeases } from './local-leases.ts';
import { SortedKeys } from './sorted-keys.ts';

/** The records of one kind. */
interface Shelf {
  readonly entries: Map<string, { readonly json: string; readonly revision: Revision }>;
  readonly sortedKeys: SortedKeys;
}

/** Longest key, in characters; the same on every adapter so that code moves between them. */
const KEY_CHARACTERS_MAX = 512;

/**
 * State as maps. Values are kept as their JSON text: nobody can reach into the store through a value handed in or out, and
 * what comes back is exactly what a disk or a database would give back.
 */
export class MemoryStateStore implements StateStore {
  /** Set by the adapter; every method refuses with `closed` while it is false. */
  isOpen = false;

  readonly #shelves = new Map<StateKind, Shelf>();
  readonly #leases: LocalLeases;
  #revision: Revision = 0;

  constructor(clock: Clock) {
    this.#leases = new LocalLeases(clock);
  }

  get isEmpty(): boolean {
    return [...this.#shelves.values()].every(({ entries }) => entries.size === 0);
  }

  clear(): void {
    this.#shelves.clear();
  }

  async load(kind: StateKind, options: { prefix?: string; after?: string; limit: number }): Promise<StatePage> {
    this.#assertOpen();
    const shelf = this.#shelf(kind);
    const { keys, hasMore } = shelf.sortedKeys.page(options);
    const entries = keys.map((key) => this.#entry(shelf, key)!);
    const last = keys.at(-1);
    return hasMore && last !== undefined ? { entries, next: last } : { entries };
  }

  async get(kind: StateKind, keys: readonly string[]): Promise<readonly (StateEntry | undefined)[]> {
    this.#assertOpen();
    const shelf = this.#shelf(kind);
    return keys.map((key) => this.#entry(shelf, key));
  }

  async commit(changes: readonly StateChange[]): Promise<Revision> {
    this.#assertOpen();
    // Every check comes before the first change and nothing awaits in between: that is all "all or nothing" needs here.
    this.#assertLeasesHeld(changes);
    for (const change of changes) {
      assertKey(change.key);
      this.#assertRevision(change);
    }
    const revision = ++this.#revision;
    for (const change of changes) this.#apply(change, revision);
    return revision;
  }

  async acquire(resources: readonly string[], options: { owner: string; ttlMs: number }): Promise<readonly Lease[]> {
    this.#assertOpen();
    return this.#leases.acquireAll(resources, options);
  }

  async holders(resources: readonly string[]): Promise<readonly (string | undefined)[]> {
    this.#assertOpen();
    return resources.map((resource) => this.#leases.holder(resource));
  }

  async renew(leases: readonly Lease[], options: { ttlMs: number }): Promise<readonly Lease[]> {
    this.#assertOpen();
    return leases.filter((lease) => !this.#leases.renew(lease, options.ttlMs));
  }

  async release(leases: readonly Lease[]): Promise<void> {
    this.#assertOpen();
    for (const lease of leases) this.#leases.release(lease);
  }

  #assertLeasesHeld(changes: readonly StateChange[]): void {
    const lost = new Set<string>();
    for (const { lease } of changes) {
      if (lease !== undefined && !this.#leases.isHeld(lease)) lost.add(lease.resource);
    }
    if (lost.size === 0) return;
    const resources = [...lost];
    throw new EventManagerError('lease_lost', `The lease of ${resources.join(', ')} is not held any more.`, {
      resources,
    });
  }

  #assertRevision({ kind, key, ifRevision }: StateChange): void {
    if (ifRevision === undefined) return;
    const revision = this.#shelf(kind).entries.get(key)?.revision ?? 0;
    if (revision === ifRevision) return;
    throw new EventManagerError('revision_conflict', `${kind} ${key} is at revision ${revision}, not ${ifRevision}.`, {
      kind,
      key,
      revision,
    });
  }

  #apply({ kind, key, value }: StateChange, revision: Revision): void {
    const shelf = this.#shelf(kind);
    if (value === undefined) {
      if (shelf.entries.delete(key)) shelf.sortedKeys.delete(key);
      return;
    }
    if (!shelf.entries.has(key)) shelf.sortedKeys.add(key);
    shelf.entries.set(key, { json: JSON.stringify(value), revision });
  }

  #entry(shelf: Shelf, key: string): StateEntry | undefined {
    const kept = shelf.entries.get(key);
    if (kept === undefined) return undefined;
    return { key, value: JSON.parse(kept.json) as JsonValue, revision: kept.revision };
  }

  #shelf(kind: StateKind): Shelf {
    let shelf = this.#shelves.get(kind);
    if (shelf === undefined) {
      shelf = { entries: new Map(), sortedKeys: new SortedKeys() };
      this.#shelves.set(kind, shelf);
    }
    return shelf;
  }

  #assertOpen(): void {
    if (!this.isOpen) throw new EventManagerError('closed', 'The memory adapter is not open.');
  }
}

function assertKey(key: string): void {
  if (key.length > KEY_CHARACTERS_MAX || key.includes('\0')) {
    throw new TypeError(`A state key has at most ${KEY_CHARACTERS_MAX} characters and no NUL: ${JSON.stringify(key)}`);
  }
}
