import type { LostRange, Position, ReadOptions, ReadResult } from '@event-manager/core';
import type { LogCore } from './log-core.ts';
import { RECORD_COLUMNS, type RecordRow, toRecorded } from './record-row.ts';

/** One read looks past at most so many events of other lanes. */
const LOOKED_AT_MAX = 50_000;

/** The last row says how far the log reaches, and how many records the limit would have allowed. */
type ReadRow = {
  readonly trimmed_through: number;
  readonly lower: number;
  readonly upper: number;
  readonly head: number;
  readonly branch: number;
  readonly has_turned: boolean;
  readonly found: number | null;
} & (RecordRow | { readonly position: null });

/** `EventStore.read`, in one statement, so that marks and records are of one moment. */
export async function readLog(core: LogCore, after: Position, options: ReadOptions): Promise<ReadResult> {
  const { limit, bytesMax, lanes, until } = options;
  const values: unknown[] = [after, limit, bytesMax, until ?? Number.MAX_SAFE_INTEGER];
  if (lanes !== undefined) values.push(lanes);
  const rows = await askOnBranch(core, lanes !== undefined, values);
  const { trimmed_through: trimmedThrough, upper, head } = rows[0]!;
  core.branch.saw(head);
  const records = rows.flatMap((row) => (row.position === null ? [] : [toRecorded(row as RecordRow)]));
  const hasMore = records.length > 0 && (records.length < rows[0]!.found! || records.length >= limit);
  const scannedTo = hasMore ? records.at(-1)!.place.position : Math.max(after, limit > 0 ? upper : after);
  const lostThrough = Math.min(scannedTo, trimmedThrough);
  if (lostThrough <= after) return withHoles(core.branch.lost, after, { records, scannedTo });
  const lost: LostRange = { from: after + 1, through: lostThrough, cause: 'trimmed' };
  return withHoles(core.branch.lost, lostThrough, { records, scannedTo, lost });
}

/** What the log says is believed when this process knows on which branch it is. */
async function askOnBranch({ connections, schema, branch }: LogCore, byLane: boolean, values: readonly unknown[]) {
  for (;;) {
    // What this process appends meanwhile is news to the answer, and no sign of a branch.
    const { knownHead } = branch;
    const rows = await connections.ask<ReadRow>(readStatement(schema, byLane), values);
    const { head, branch: number, has_turned: hasTurned } = rows[0]!;
    if (number === branch.number && head >= knownHead && !hasTurned) return rows;
    await branch.follow();
  }
}

/** Tells of a hole behind `after`, and ends before a second range: one answer names one. */
function withHoles(holes: readonly LostRange[], after: Position, result: ReadResult): ReadResult {
  if (holes.length === 0) return result;
  const met = holes.filter(({ from, through }) => through > after && from <= result.scannedTo);
  const [first, second] = result.lost === undefined ? met : [undefined, ...met];
  const scannedTo = second === undefined ? result.scannedTo : Math.max(after, second.from - 1);
  const records = result.records.filter(({ place }) => place.position <= scannedTo);
  if (first === undefined) return { ...result, records, scannedTo };
  const lost = { ...first, from: Math.max(first.from, after + 1), through: Math.min(first.through, scannedTo) };
  return { records, scannedTo, lost };
}

/** The positions to look at are subselects, by which the server leaves out partitions when it runs the statement. */
function readStatement(schema: string, byLane: boolean): string {
  return `
    WITH start AS MATERIALIZED (
      SELECT h.*, greatest($1::bigint, h.trimmed_through, (SELECT max(g.through_position) FROM ${schema}.log_gaps g
        WHERE greatest($1::bigint, h.trimmed_through) BETWEEN g.from_position - 1 AND g.through_position)) AS lower
      FROM ${schema}.log_head h
    ), span AS MATERIALIZED (
      SELECT trimmed_through, head, branch, timeline <> ${schema}.present_timeline(timeline) AS has_turned, lower,
        greatest($1::bigint, least(head, $4::bigint, lower + ${LOOKED_AT_MAX})) AS upper
      FROM start
    ), matching AS (
      SELECT ${RECORD_COLUMNS} FROM ${schema}.events e
      WHERE e.position > (SELECT lower FROM span) AND e.position <= (SELECT upper FROM span)
        ${byLane ? 'AND e.priority = ANY ($5::int[])' : ''}
      ORDER BY e.position LIMIT $2
    ), measured AS (
      SELECT m.*, count(*) OVER () AS found,
        sum(octet_length(m.body)) OVER (ORDER BY m.position) - octet_length(m.body) AS bytes_before
      FROM matching m
    )
    SELECT s.*, r.* FROM span s
    LEFT JOIN (SELECT * FROM measured WHERE bytes_before < $3::bigint OR bytes_before = 0) r ON true
    ORDER BY r.position`;
}
