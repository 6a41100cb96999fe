import type { StateKind } from '@event-manager/core';
import type { Folder } from '../files/folder.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import { verify } from './verify.ts';

export interface Inspection {
  readonly first: number;
  readonly head: number;
  readonly segments: readonly {
    readonly file: string;
    readonly first: number;
    readonly last: number;
    readonly records: number;
    readonly bytes: number;
  }[];
  readonly witness: Witnessed;
  readonly state: { readonly sequence: number; readonly entries: Partial<Record<StateKind, number>> };
  readonly damages: number;
}

/** What is in a data directory, for people. Changes nothing. */
export async function inspect(folder: Folder): Promise<Inspection> {
  const segments: Inspection['segments'][number][] = [];
  const { damages, witness, state, head } = await verify(folder, async ({ segment, contents, bytes }) => {
    const { file, header } = segment;
    segments.push({
      file,
      first: header.first,
      last: contents.last,
      records: contents.index.count,
      bytes: bytes.length,
    });
  });
  const entries = Object.fromEntries(state.entries.kinds.map((kind) => [kind, state.entries.countOf(kind)]));
  return {
    first: witness.last.trimmedThrough + 1,
    head,
    segments,
    witness: witness.last,
    state: { sequence: state.sequence, entries },
    damages: damages.length,
  };
}
