import type { Restored, UnusedPositions } from '@event-manager/core';
import { isDataError } from '../connect/store-error.ts';
import { AppendBatch } from './append-batch.ts';
import type { LogCore } from './log-core.ts';

/** Columns of `restore_events` that `append_events` has as well, in the same order. */
const SHARED_COLUMNS = 14;

/** Writes events at the positions and times that another store gave them: see `schema/0006-moves.ts`. */
export async function restoreLog(core: LogCore, events: readonly Restored[]): Promise<void> {
  if (events.length === 0) return;
  const { connections, schema, self } = core;
  const batch = new AppendBatch(events, 0);
  if (batch.distinct.length < events.length) throw new TypeError('An id comes twice among the events to restore.');
  const own = [self, events.map(({ position }) => position), events.map(({ recordedAtMs }) => recordedAtMs)];
  const parameters = Array.from({ length: own.length + SHARED_COLUMNS }, (_, at) => `$${at + 1}`).join(', ');
  const write = (columns: 'with jsonb' | 'without jsonb') =>
    connections.ask(`SELECT ${schema}.restore_events(${parameters})`, [
      ...own,
      ...batch.values(columns).slice(0, SHARED_COLUMNS),
    ]);
  try {
    await write('with jsonb');
  } catch (error) {
    if (!isDataError(error)) throw error;
    await write('without jsonb');
  }
}

/** Passes over positions that no event was ever given: see `schema/0009-gaps.ts`. */
export async function restoreGap({ connections, schema, self }: LogCore, unused: UnusedPositions): Promise<void> {
  await connections.ask(`SELECT ${schema}.restore_gap($1, $2, $3)`, [self, unused.from, unused.through]);
}
