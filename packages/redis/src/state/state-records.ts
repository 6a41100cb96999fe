import { Buffer } from 'node:buffer';
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
import { closedError } from '../connect/connection.ts';
import { GET_STATE, LOAD_STATE } from '../lua/state-records.ts';
import type { CommitLoop } from './commit-loop.ts';
import { behindPrefix, keyBytes, keyOf } from './key-bytes.ts';
import { acquireLeases, leaseHolders, releaseLeases, renewLeases } from './leases.ts';
import type { StateCore } from './state-core.ts';

export interface OpenState {
  readonly core: StateCore;
  readonly commits: CommitLoop;
}

const [INSIDE, OUTSIDE] = ['[', '('].map((sign) => Buffer.from(sign)) as [Buffer, Buffer];

/** The state store: records are read here, written by the loop of commits. */
export class StateRecords implements StateStore {
  /** Set by the adapter while it is open. */
  opened: OpenState | undefined;

  async load(kind: StateKind, options: { prefix?: string; after?: string; limit: number }): Promise<StatePage> {
    const { connection } = this.#open().core;
    const { prefix = '', after, limit } = options;
    let [from, end] = boundsOf(keyBytes(prefix), after === undefined ? undefined : keyBytes(after));
    const found: StateEntry[] = [];
    // Large records come in several answers, each of a moment of its own, as pages do.
    for (let isWhole = false; !isWhole; ) {
      const reply = await connection.ask(LOAD_STATE, kind, from, end, limit + 1 - found.length);
      const [count, ...pairs] = reply as readonly [number, ...Buffer[]];
      for (let at = 0; at < pairs.length; at += 2) found.push(toEntry(keyOf(pairs[at]!), pairs[at + 1]!));
      isWhole = pairs.length === 2 * count;
      if (!isWhole) from = Buffer.concat([OUTSIDE, pairs.at(-2)!]);
    }
    const entries = found.slice(0, limit);
    const last = entries.at(-1);
    return found.length > limit && last !== undefined ? { entries, next: last.key } : { entries };
  }

  async get(kind: StateKind, keys: readonly string[]): Promise<readonly (StateEntry | undefined)[]> {
    const { connection } = this.#open().core;
    if (keys.length === 0) return [];
    const reply = (await connection.ask(GET_STATE, kind, ...keys.map(keyBytes))) as readonly (Buffer | null)[];
    return reply.map((value, at) => (value === null ? undefined : toEntry(keys[at]!, value)));
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

/** As the server spells the bounds of a range of names. */
function boundsOf(prefix: Buffer, after: Buffer | undefined): [Buffer, Buffer] {
  const isBehind = after !== undefined && Buffer.compare(after, prefix) >= 0;
  const end = behindPrefix(prefix);
  return [
    Buffer.concat(isBehind ? [OUTSIDE, after] : [INSIDE, prefix]),
    end === undefined ? Buffer.from('+') : Buffer.concat([OUTSIDE, end]),
  ];
}

/** Revision, a space, JSON. */
function toEntry(key: string, kept: Buffer): StateEntry {
  const space = kept.indexOf(' ');
  const value = JSON.parse(kept.toString('utf8', space + 1)) as JsonValue;
  return { key, value, revision: Number(kept.toString('latin1', 0, space)) };
}
