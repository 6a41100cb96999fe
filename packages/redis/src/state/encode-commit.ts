import type { StateChange, StateKind } from '@event-manager/core';
import type { ScriptValue } from '../lua/script.ts';
import { keyBytes } from './key-bytes.ts';

/** Longest key, in characters; the same on every adapter so that code moves between them. */
const KEY_CHARACTERS_MAX = 512;

/** Kinds that only the process which holds the lease reads while it does: nobody else need wake up for them. */
const OF_NO_INTEREST: ReadonlySet<StateKind> = new Set(['progress', 'owed', 'blocked', 'attempt']);
/** Kinds that say what became of debts: they are written even when the memory of the server is full. */
const OF_DEBTS: ReadonlySet<StateKind> = new Set([
  'progress',
  'owed',
  'blocked',
  'attempt',
  'dead-letter',
  'dead-letter-id',
  'debt-removal',
  'run-part',
  'run-report',
]);

/** A commit, read from its caller's memory at the time of the call. */
export interface EncodedCommit {
  readonly changes: readonly Pick<StateChange, 'kind' | 'key' | 'ifRevision'>[];
  /** For `COMMIT_STATE`. */
  readonly values: readonly ScriptValue[];
  /** Of all values together. */
  readonly characters: number;
  readonly isOfInterest: boolean;
}

export function encodeCommit(changes: readonly StateChange[]): EncodedCommit {
  let characters = 0;
  const encoded = changes.flatMap(({ kind, key, value, ifRevision }): ScriptValue[] => {
    assertKey(key);
    const json = value === undefined ? '' : JSON.stringify(value);
    characters += json.length;
    return [
      kind,
      keyBytes(key),
      ifRevision === undefined ? '' : String(ifRevision),
      value === undefined ? '-' : '=',
      json,
    ];
  });
  const leases = changes.flatMap(({ lease }) => (lease === undefined ? [] : [lease.resource, String(lease.token)]));
  const settles = changes.every(({ kind }) => OF_DEBTS.has(kind));
  return {
    changes: changes.map(({ kind, key, ifRevision }) => ({
      kind,
      key,
      ...(ifRevision === undefined ? {} : { ifRevision }),
    })),
    values: [settles ? '1' : '0', leases.length / 2, changes.length, ...leases, ...encoded],
    characters,
    isOfInterest: changes.some(({ kind }) => !OF_NO_INTEREST.has(kind)),
  };
}

function assertKey(key: string): void {
  if (key.length > KEY_CHARACTERS_MAX || key.includes('\0')) {
    throw new TypeError(`A state key has at most ${KEY_CHARACTERS_MAX} characters and no NUL: ${JSON.stringify(key)}`);
  }
}
