import type { JsonValue } from '../json.ts';

/** Kinds of records about debts. Each kind has its own key space. */
export type StateKind =
  | 'subscription'
  | 'topic'
  /** What makes events relevant to a subscriber. */
  | 'context'
  | 'progress'
  | 'owed'
  /** Keys of ordered subscriptions whose later events wait. */
  | 'blocked'
  | 'dead-letter'
  /** The key of a dead letter by its id, in the commit that makes it. */
  | 'dead-letter-id'
  | 'attempt'
  /** Replays, redrives and discards, by their id; and what each has done for one subscription. */
  | 'run'
  | 'run-part'
  /** What a replay could not deliver. */
  | 'run-report'
  | 'schedule'
  /** Events that wait for their time: what comes next, and each by its id. */
  | 'schedule-due'
  | 'schedule-event'
  /** How far projections are folded, and the states that belong to it. */
  | 'projection'
  | 'snapshot'
  /** How many debts of a subscription retention removed. */
  | 'debt-removal'
  | 'audit';

/** Complete by its type: a kind that is missing here does not compile. */
const EVERY_KIND: { readonly [Kind in StateKind]: true } = {
  subscription: true,
  topic: true,
  context: true,
  progress: true,
  owed: true,
  blocked: true,
  'dead-letter': true,
  'dead-letter-id': true,
  attempt: true,
  run: true,
  'run-part': true,
  'run-report': true,
  schedule: true,
  'schedule-due': true,
  'schedule-event': true,
  projection: true,
  snapshot: true,
  'debt-removal': true,
  audit: true,
};

export const STATE_KINDS: readonly StateKind[] = Object.keys(EVERY_KIND) as StateKind[];

/** Grows with every commit of a store; 0 means "does not exist". */
export type Revision = number;

export interface StateEntry {
  readonly key: string;
  readonly value: JsonValue;
  /** Revision of the commit that wrote this entry last. */
  readonly revision: Revision;
}

export interface StateChange {
  readonly kind: StateKind;
  /** At most 512 characters, no NUL. */
  readonly key: string;
  /** The new value; absent means delete. */
  readonly value?: JsonValue;
  /** The commit fails unless the entry has this revision; 0 = must not exist. One that was deleted and made again has another. */
  readonly ifRevision?: Revision;
  /** The commit fails unless this lease is still held. */
  readonly lease?: Lease;
}

/** The right to act for a resource until it runs out. A later holder has a higher token (a fencing token). */
export interface Lease {
  readonly resource: string;
  readonly token: number;
}

export interface StatePage {
  /** Ascending by key, compared by UTF-16 code units. */
  readonly entries: readonly StateEntry[];
  /** Pass as `after` to continue; absent on the last page. */
  readonly next?: string;
}

/** Small records about debts: subscriptions, progress, dead letters. */
export interface StateStore {
  load(kind: StateKind, options: { prefix?: string; after?: string; limit: number }): Promise<StatePage>;
  get(kind: StateKind, keys: readonly string[]): Promise<readonly (StateEntry | undefined)[]>;
  /**
   * All or nothing, durable when it resolves, group-committed with concurrent calls. Throws `lease_lost` with
   * `details.resources` (all that are lost), or else `revision_conflict` with `details.key`, having changed nothing.
   */
  commit(changes: readonly StateChange[]): Promise<Revision>;
  /** Resolves with a lease for each resource that nobody else holds an unexpired one of, in the order of asking. */
  acquire(resources: readonly string[], options: { owner: string; ttlMs: number }): Promise<readonly Lease[]>;
  /** Who holds each resource now, by the name it was acquired under; `undefined` where nobody does. */
  holders(resources: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Extends leases that are still held; resolves with those that are not any more. */
  renew(leases: readonly Lease[], options: { ttlMs: number }): Promise<readonly Lease[]>;
  /** Gives leases back at once; those not held are ignored. */
  release(leases: readonly Lease[]): Promise<void>;
}
