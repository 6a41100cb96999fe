import type {
  JsonValue,
  Lease,
  Revision,
  StateChange,
  StateEntry,
  StateKind,
  StatePage,
  StateStore,
} from '@event-manager/core';
import { closedError } from '../connect/connections.ts';
import type { CommitLoop } from './commit-loop.ts';
import { behindPrefix, keyBytes, keyOf } from './key-bytes.ts';
import { acquireLeases, leaseHolders, releaseLeases, renewLeases } from './leases.ts';
import type { StateCore } from './state-core.ts';

export interface OpenState {
  readonly core: StateCore;
  readonly commits: CommitLoop;
}

interface EntryRow {
  readonly sort: Buffer;
  readonly value: string;
  readonly revision: number;
}

/** The state store: records are read here, written by the loop of commits. */
export class StateRecords implements StateStore {
  /** Set by the adapter while it is open. */
  opened: OpenState | undefined;

  async load(kind: StateKind, options: { prefix?: string; after?: string; limit: number }): Promise<StatePage> {
    const { connections, schema } = this.#open().core;
    const { prefix = '', after, limit } = options;
    const rows = await connections.ask<EntryRow>(
      `SELECT sort, value, revision FROM ${schema}.state_records
       WHERE kind = $1 AND sort >= decode($2, 'hex') AND ($3::text IS NULL OR sort < decode($3, 'hex'))
         AND ($4::text IS NULL OR sort > decode($4, 'hex'))
       ORDER BY sort LIMIT $5`,
      [kind, keyBytes(prefix), behindPrefix(prefix) ?? null, after === undefined ? null : keyBytes(after), limit + 1],
    );
    const entries = rows.slice(0, limit).map(toEntry);
    const last = entries.at(-1);
    return rows.length > limit && last !== undefined ? { entries, next: last.key } : { entries };
  }

  async get(kind: StateKind, keys: readonly string[]): Promise<readonly (StateEntry | undefined)[]> {
    const { connections, schema } = this.#open().core;
    if (keys.length === 0) return [];
    const rows = await connections.ask<EntryRow & { ord: number }>(
      `SELECT w.ord, r.sort, r.value, r.revision
       FROM unnest($2::text[]) WITH ORDINALITY w(sort, ord)
       JOIN ${schema}.state_records r ON r.kind = $1 AND r.sort = decode(w.sort, 'hex')`,
      [kind, keys.map(keyBytes)],
    );
    const found = new Array<StateEntry | undefined>(keys.length).fill(undefined);
    for (const row of rows) found[row.ord - 1] = toEntry(row);
    return found;
  }

  async commit(changes: readonly StateChange[]): Promise<Revision> {
    return this.#open().commits.commit(changes);
  }

  async acquire(resources: readonly string[], options: { owner: string; ttlMs: number }): Promise<readonly Lease[]> {
    return acquireLeases(this.#open().core, resources, options);
  }

  async holders(resources: readonly string[]): Promise<readonly (string | undefined)[]> {
    return leaseHolders(this.#open().core, resources);
  }

  async renew(leases: readonly Lease[], options: { ttlMs: number }): Promise<readonly Lease[]> {
    return renewLeases(this.#open().core, leases, options.ttlMs);
  }

  async release(leases: readonly Lease[]): Promise<void> {
    return releaseLeases(this.#open().core, leases);
  }

  #open(): OpenState {
    if (this.opened === undefined) throw closedError();
    return this.opened;
  }
}

function toEntry({ sort, value, revision }: EntryRow): StateEntry {
  return { key: keyOf(sort), value: JSON.parse(value) as JsonValue, revision };
}
