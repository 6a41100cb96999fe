import type { Bounds } from '@event-manager/core';
import type { LogCore } from './log-core.ts';

interface HeadRow {
  readonly head: number;
  readonly trimmed_through: number;
  readonly bytes: number;
  readonly branch: number;
}

export async function measureLog(core: LogCore): Promise<readonly Bounds[]> {
  const { connections, schema, branch } = core;
  const [row] = await connections.ask<HeadRow>(
    `SELECT head, trimmed_through, bytes_through - trimmed_bytes AS bytes, branch FROM ${schema}.log_head`,
  );
  const { head, trimmed_through: trimmedThrough, bytes, branch: number } = row!;
  if (number !== branch.number) {
    // Its gaps are not known yet, and would be counted as events.
    await branch.follow();
    return measureLog(core);
  }
  const holes = branch.missing.reduce(
    (sum, { from, through }) => sum + Math.max(0, through - Math.max(from - 1, trimmedThrough)),
    0,
  );
  return [{ partition: 0, first: trimmedThrough + 1, head, bytes, events: head - trimmedThrough - holes }];
}
