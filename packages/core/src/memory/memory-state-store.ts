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

/** The records of one kind. `sortedKeys` is made when a page is asked for and dropped when a key comes or goes. */
interface Shelf {
  readonly entries: Map<string, { readonly json: string; readonly revision: Revision }>;
  sortedKeys: string[] | undefined;
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

  async load(kind: StateKind, options: { prefix?: string; after?: string; limit: number }): Promise<StatePage> {
    this.#assertOpen();
    const shelf = this.#shelf(kind);
    const keys = (shelf.sortedKeys ??= [...shelf.entries.keys()].sort());
    const prefix = options.prefix ?? '';
    let index = firstAtOrBehind(keys, prefix);
    if (options.after !== undefined) index = Math.max(index, firstBehind(keys, options.after));

    const entries: StateEntry[] = [];
    for (; index < keys.length && keys[index]!.startsWith(prefix); index++) {
      if (entries.length === options.limit) {
        const last = entries.at(-1);
        return last === undefined ? { entries } : { entries, next: last.key };
      }
      entries.push(this.#entry(shelf, keys[index]!)!);
    }
    return { entries };
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

  async acquire(resource: string, options: { owner: string; ttlMs: number }): Promise<Lease | undefined> {
    this.#assertOpen();
    return this.#leases.acquire(resource, options.owner, options.ttlMs);
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
    const sizeBefore = shelf.entries.size;
    if (value === undefined) shelf.entries.delete(key);
    else shelf.entries.set(key, { json: JSON.stringify(value), revision });
    if (shelf.entries.size !== sizeBefore) shelf.sortedKeys = undefined;
  }

  #entry(shelf: Shelf, key: string): StateEntry | undefined {
    const kept = shelf.entries.get(key);
    if (kept === undefined) return undefined;
    return { key, value: JSON.parse(kept.json) as JsonValue, revision: kept.revision };
  }

  #shelf(kind: StateKind): Shelf {
    let shelf = this.#shelves.get(kind);
    if (shelf === undefined) {
      shelf = { entries: new Map(), sortedKeys: undefined };
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

/** Index of the first key ≥ `bound`; `<` on strings compares UTF-16 code units, as the contract says. */
function firstAtOrBehind(sortedKeys: readonly string[], bound: string): number {
  let low = 0;
  let high = sortedKeys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sortedKeys[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstBehind(sortedKeys: readonly string[], bound: string): number {
  const index = firstAtOrBehind(sortedKeys, bound);
  return sortedKeys[index] === bound ? index + 1 : index;
}
