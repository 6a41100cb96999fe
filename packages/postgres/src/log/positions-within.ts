import type { EventQuery, Position } from '@event-manager/core';
import { isCancelled } from '../connect/store-error.ts';
import type { LogCore } from './log-core.ts';
import { timeOf } from './narrow-query.ts';

/** Both ends are inside; empty when `first` is behind `head`. */
export interface PositionRange {
  readonly first: Position;
  readonly head: Position;
}

/**
 * The positions that were recorded within the time of a query. Time ascends with position, so two looks into the index of times
 * spare a search every window that lies outside: to the planner the two columns have nothing to do with each other.
 */
export async function positionsWithin(
  core: LogCore,
  { fromMs, toMs }: Pick<EventQuery, 'fromMs' | 'toMs'>,
  { first, head }: PositionRange,
): Promise<PositionRange> {
  try {
    const from = fromMs === undefined ? first : await firstSince(core, fromMs);
    const behind = toMs === undefined ? undefined : await firstSince(core, toMs);
    return {
      first: Math.max(first, from ?? head + 1),
      head: Math.min(head, (behind ?? head + 1) - 1),
    };
  } catch (error) {
    // The search itself asks for the time as well: without this it takes longer, and is ended by its budget.
    if (!isCancelled(error)) throw error;
    return { first, head };
  }
}

/**
 * `undefined` when nothing was recorded since. Many events share a millisecond, and the index does not say which is the first.
 * `OFFSET 0` keeps the planner from looking for the smallest position by going through all of them from the beginning.
 */
async function firstSince({ connections, schema }: LogCore, sinceMs: number): Promise<Position | undefined> {
  const [row] = await connections.search<{ readonly position: Position | null }>(
    `SELECT min(position) AS position FROM (SELECT e.position FROM ${schema}.events e WHERE e.created_at =
      (SELECT e.created_at FROM ${schema}.events e WHERE e.created_at >= ${timeOf('$1')} ORDER BY e.created_at LIMIT 1)
      OFFSET 0) same`,
    [sinceMs],
  );
  return row?.position ?? undefined;
}
