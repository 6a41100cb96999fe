import type { StateChange, StateKind } from '@event-manager/core';
import { keyBytes } from './key-bytes.ts';

/** Longest key, in characters; the same on every adapter so that code moves between them. */
const KEY_CHARACTERS_MAX = 512;

/** Kinds that only the process which holds the lease reads while it does: nobody else need wake up for them. */
const OF_NO_INTEREST: ReadonlySet<StateKind> = new Set(['progress', 'owed', 'blocked', 'attempt']);

/** One change, read from its caller's memory at the time of the call. */
export interface EncodedChange {
  readonly kind: StateKind;
  readonly key: string;
  readonly sort: string;
  /** JSON; `null` deletes. */
  readonly json: string | null;
  /** False for a change that a later one of the same commit replaces: then only its conditions count. */
  writes: boolean;
  readonly ifRevision: number | null;
}

export interface EncodedCommit {
  readonly changes: readonly EncodedChange[];
  readonly leases: readonly { readonly resource: string; readonly token: number }[];
  /** Of all values together. */
  readonly characters: number;
  readonly isOfInterest: boolean;
}

export function encodeCommit(changes: readonly StateChange[]): EncodedCommit {
  const last = new Map<string, EncodedChange>();
  let characters = 0;
  const encoded = changes.map(({ kind, key, value, ifRevision }) => {
    assertKey(key);
    const json = value === undefined ? null : JSON.stringify(value);
    const change = { kind, key, sort: keyBytes(key), json, writes: true, ifRevision: ifRevision ?? null };
    const name = `${kind}/${key}`;
    const earlier = last.get(name);
    if (earlier !== undefined) earlier.writes = false;
    last.set(name, change);
    characters += json?.length ?? 0;
    return change;
  });
  const leases = changes.flatMap(({ lease }) => (lease === undefined ? [] : [lease]));
  return { changes: encoded, leases, characters, isOfInterest: changes.some(({ kind }) => !OF_NO_INTEREST.has(kind)) };
}

/** The parameters of `commit_state` behind the number, in order. */
export function commitValues(commits: readonly EncodedCommit[]): unknown[] {
  const changes = commits.flatMap(({ changes: all }) => all);
  const leases = commits.flatMap(({ leases: all }) => all);
  return [
    commits.length,
    commits.flatMap(({ changes: all }, at) => all.map(() => at + 1)),
    changes.map(({ kind }) => kind),
    changes.map(({ sort }) => sort),
    changes.map(({ key }) => key.toWellFormed()),
    changes.map(({ json }) => json),
    changes.map(({ writes }) => writes),
    changes.map(({ ifRevision }) => ifRevision),
    commits.flatMap(({ leases: all }, at) => all.map(() => at + 1)),
    leases.map(({ resource }) => resource),
    leases.map(({ token }) => token),
  ];
}

function assertKey(key: string): void {
  if (key.length > KEY_CHARACTERS_MAX || key.includes('\0')) {
    throw new TypeError(`A state key has at most ${KEY_CHARACTERS_MAX} characters and no NUL: ${JSON.stringify(key)}`);
  }
}
