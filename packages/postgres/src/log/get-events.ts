import type { Place, Recorded } from '@event-manager/core';
import type { LogCore } from './log-core.ts';
import { RECORD_COLUMNS, type RecordRow, toRecorded } from './record-row.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `EventStore.get`: one statement for ids and places alike. */
export async function getEvents(
  core: LogCore,
  refs: readonly (string | Place)[],
): Promise<readonly (Recorded | undefined)[]> {
  if (refs.length === 0) return [];
  const { schema } = core;
  const rows = await core.connections.ask<RecordRow & { ord: number }>(
    `SELECT w.ord, ${RECORD_COLUMNS}
     FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY w(id, position, ord)
     LEFT JOIN ${schema}.event_ids i ON i.id = w.id
     JOIN ${schema}.events e ON e.position = coalesce(w.position, i.position)
     WHERE e.position > (SELECT trimmed_through FROM ${schema}.log_head)`,
    [refs.map(idOf), refs.map(positionOf)],
  );
  const found = new Array<Recorded | undefined>(refs.length).fill(undefined);
  for (const row of rows) found[row.ord - 1] = toRecorded(row);
  return found;
}

/** What is no id is the id of nothing. */
function idOf(ref: string | Place): string | null {
  return typeof ref === 'string' && UUID.test(ref) ? ref : null;
}

function positionOf(ref: string | Place): number | null {
  if (typeof ref === 'string') return null;
  return ref.partition === 0 && Number.isSafeInteger(ref.position) ? ref.position : null;
}
