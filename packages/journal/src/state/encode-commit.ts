import type { Revision, StateKind } from '@event-manager/core';
import type { EncodedChange } from './state-entries.ts';

/* A commit is `[[kind, key, value], …]`, a deletion `[kind, key]`; entries of a snapshot are `[[kind, key, revision, value], …]`. */

export function encodeCommit(changes: readonly EncodedChange[]): string {
  const parts = changes.map(({ kind, key, json }) => {
    const name = `${JSON.stringify(kind)},${JSON.stringify(key)}`;
    return json === undefined ? `[${name}]` : `[${name},${json}]`;
  });
  return `[${parts.join(',')}]`;
}

export function decodeCommit(json: string): EncodedChange[] {
  const rows = JSON.parse(json) as [StateKind, string, unknown?][];
  return rows.map((row) => ({
    kind: row[0],
    key: row[1],
    json: row.length === 3 ? JSON.stringify(row[2]) : undefined,
  }));
}

export function encodeEntries(rows: readonly string[]): string {
  return `[${rows.join(',')}]`;
}

export function encodeEntry(kind: StateKind, key: string, revision: Revision, json: string): string {
  return `[${JSON.stringify(kind)},${JSON.stringify(key)},${revision},${json}]`;
}

export function decodeEntries(json: string): { readonly change: EncodedChange; readonly revision: number }[] {
  const rows = JSON.parse(json) as [StateKind, string, number, unknown][];
  return rows.map(([kind, key, revision, value]) => ({ change: { kind, key, json: JSON.stringify(value) }, revision }));
}
