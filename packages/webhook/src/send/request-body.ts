import { createHash } from 'node:crypto';
import { type Delivery, replayField } from '@event-manager/core';

const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']}');

/** The stored bytes of the events between brackets: what was signed into the log is what leaves, never encoded again. */
export function batchBody(batch: readonly Delivery[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(`{${replayField(batch[0]?.replay)}"events":[`)];
  for (const [index, { record }] of batch.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(record.body);
  }
  parts.push(CLOSE);
  return Buffer.concat(parts);
}

/**
 * The id of a batch names its content: the same events give the same id, so a receiver recognises a repetition; a retry with other
 * neighbours gives another, so it does not take new events for old ones.
 */
export function batchId(batch: readonly Delivery[]): string {
  const hash = createHash('sha256');
  for (const { record } of batch) hash.update(record.id).update('\n');
  return `batch_${hash.digest('hex').slice(0, 32)}`;
}
