import { encodeCursor, replayField } from '@event-manager/core';
import type { DeliveryGroup } from '../delivery-group.ts';

/** A batch of large events leaves in several frames: a receiver has a limit, too. */
const FRAME_BYTES_MAX = 256 * 1024;
const END = Buffer.from(']}');
const BRACE = Buffer.from('}');

/**
 * The frame with as much of a batch as one holds, one delivery at the least. The events are the stored bytes, never encoded
 * again. `number` gives each delivery its own and counts it as sent.
 */
export function deliveryFrame(group: DeliveryGroup, number: (group: DeliveryGroup) => number): Buffer {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  while (!group.isSent) {
    const { record, attempt, subscriptionId, replay } = group.batch[group.next]!;
    if (parts.length > 0 && bytes + record.body.length > FRAME_BYTES_MAX) break;
    const before = parts.length === 0 ? `{"type":"delivery","subscription":"${subscriptionId}","deliveries":[` : ',';
    const cursor = encodeCursor([record.place]);
    const head = `${before}{"delivery":${number(group)},"attempt":${attempt},${replayField(replay)}"cursor":"${cursor}","event":`;
    parts.push(Buffer.from(head), record.body, BRACE);
    bytes += record.body.length;
  }
  parts.push(END);
  return Buffer.concat(parts);
}
