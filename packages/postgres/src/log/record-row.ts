import type { Lane, Recorded } from '@event-manager/core';

/** A row of `events` as reads select it. */
export interface RecordRow {
  readonly position: number;
  readonly id: string;
  readonly recorded_ms: number;
  readonly topic: string;
  readonly priority: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** What `toRecorded` needs of the table `e`. */
export const RECORD_COLUMNS = `e.position, e.id, (extract(epoch FROM e.created_at) * 1000)::bigint AS recorded_ms,
  e.topic, e.priority, e.flags, e.body`;

export function toRecorded(row: RecordRow): Recorded {
  return {
    id: row.id,
    place: { partition: 0, position: row.position },
    recordedAtMs: row.recorded_ms,
    topic: row.topic,
    lane: row.priority as Lane,
    flags: row.flags,
    body: row.body,
  };
}
