import { type BatchResult, EventManagerError } from '@event-manager/core';
import { type Problem, problemOf } from './problem.ts';
import { HTTP_STATUS } from './status.ts';

/** What became of one event of a batch: as if it had been sent alone. */
export type BatchEntry =
  | {
      readonly status: 200 | 201 | 202;
      readonly id: string;
      readonly cursor: string;
      readonly duplicate: boolean;
      readonly scheduledFor?: string;
    }
  | { readonly status: number; readonly error: Problem };

export interface BatchAnswer {
  /** 201 when all are stored, 202 when all wait for their time, 200 when all were there already, otherwise 207: look at each. */
  readonly status: 200 | 201 | 202 | 207;
  readonly body: {
    readonly results: readonly BatchEntry[];
    readonly stored: number;
    readonly scheduled: number;
    readonly duplicates: number;
    readonly failed: number;
  };
}

export function batchEntry(result: BatchResult, requestId: string): BatchEntry {
  if (result instanceof EventManagerError) {
    return { status: HTTP_STATUS[result.code], error: problemOf(result, requestId) };
  }
  const { id, cursor, duplicate, scheduledFor } = result;
  const known = { id, cursor, duplicate };
  if (scheduledFor === undefined) return { status: duplicate ? 200 : 201, ...known };
  return { status: duplicate ? 200 : 202, ...known, scheduledFor };
}

export function batchAnswer(results: readonly BatchResult[], requestId: string): BatchAnswer {
  let stored = 0;
  let scheduled = 0;
  let duplicates = 0;
  const entries = results.map((result) => {
    const entry = batchEntry(result, requestId);
    if (entry.status === 201) stored++;
    else if (entry.status === 202) scheduled++;
    else if (entry.status === 200) duplicates++;
    return entry;
  });
  const failed = entries.length - stored - scheduled - duplicates;
  const body = { results: entries, stored, scheduled, duplicates, failed };
  if (duplicates === entries.length) return { status: 200, body };
  return { status: stored === entries.length ? 201 : scheduled === entries.length ? 202 : 207, body };
}
