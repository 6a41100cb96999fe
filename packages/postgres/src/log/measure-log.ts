import type { Bounds } from '@event-manager/core';
import type { LogCore } from './log-core.ts';

interface HeadRow {
  readonly head: number;
  readonly trimmed_through: number;
  readonly bytes: number;
}

export async function measureLog({ connections, schema, branch }: LogCore): Promise<readonly Bounds[]> {
  const [row] = await connections.ask<HeadRow>(
    `SELECT head, trimmed_through, bytes_through - trimmed_bytes AS bytes FROM ${schema}.log_head`,
  );
  const { head, trimmed_through: trimmedThrough, bytes } = row!;
  const holes = branch.missing.reduce(
    (sum, { from, through }) => sum + Math.max(0, through - Math.max(from - 1, trimmedThrough)),
    0,
  );
  return [{ partition: 0, first: trimmedThrough + 1, head, bytes, events: head - trimmedThrough - holes }];
}
