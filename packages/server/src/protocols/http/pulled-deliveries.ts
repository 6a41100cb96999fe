import { type LeasedDelivery, replayField } from '@event-manager/core';

/** `{deliveries: […]}` with the stored JSON of each event as it is: nothing is decoded to be encoded again. */
export function pulledDeliveries(leases: readonly LeasedDelivery[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from('{"deliveries":[')];
  for (const [index, { token, attempt, replay, leaseUntilMs, record }] of leases.entries()) {
    const until = new Date(leaseUntilMs).toISOString();
    const head = `{"delivery":"${token}","attempt":${attempt},${replayField(replay)}"leaseUntil":"${until}","event":`;
    parts.push(Buffer.from(index === 0 ? head : `,${head}`), record.body, CLOSE);
  }
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

const CLOSE = Buffer.from('}');
