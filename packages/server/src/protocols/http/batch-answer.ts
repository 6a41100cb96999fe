import { type BatchResult, EventManagerError } from '@event-manager/core';
import { type Problem, problemOf } from './problem.ts';
import { HTTP_STATUS } from './status.ts';

/** What became of one event of a batch: as if it had been sent alone. */
export type BatchEntry =
  | { readonly status: 200 | 201; readonly id: string; readonly cursor: string; readonly duplicate: boolean }
  | { readonly status: number; readonly error: Problem };

export interface BatchAnswer {
  /** 201 when all are stored, 200 when all were there already, otherwise 207: look at each. */
  readonly status: 200 | 201 | 207;
  readonly body: {
    readonly results: readonly BatchEntry[];
    readonly stored: number;
    readonly duplicates: number;
    readonly failed: number;
  };
}

export function batchEntry(result: BatchResult, requestId: string): BatchEntry {
  if (result instanceof EventManagerError) {
    return { status: HTTP_STATUS[result.code], error: problemOf(result, requestId) };
  }
  return { status: result.duplicate ? 200 : 201, id: result.id, cursor: result.cursor, duplicate: result.duplicate };
}

export function batchAnswer(results: readonly BatchResult[], requestId: string): BatchAnswer {
  let stored = 0;
  let duplicates = 0;
  const entries = results.map((result) => {
    const entry = batchEntry(result, requestId);
    if (entry.status === 201) stored++;
    else if (entry.status === 200) duplicates++;
    return entry;
  });
  const failed = entries.length - stored - duplicates;
  const status = stored === entries.length && stored > 0 ? 201 : duplicates === entries.length ? 200 : 207;
  return { status, body: { results: entries, stored, duplicates, failed } };
}
