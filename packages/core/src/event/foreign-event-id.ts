import { createHash } from 'node:crypto';
import { uuidBytes, uuidText } from './event-id.ts';

/** Namespace of `foreignEventId`. Never change it: a republished foreign event would get another id. */
const FOREIGN = '5b9a3d5e-0f6c-4f43-9d5b-6c1f0f1f7a10';

/** Version 5 UUID for an event that another system named: its id is unique only together with its source (CloudEvents 1.0). */
export function foreignEventId(source: string, id: string): string {
  const namespace = new Uint8Array(16);
  uuidBytes(FOREIGN, namespace, 0);
  const digest = createHash('sha1')
    .update(namespace)
    .update(JSON.stringify([source, id]))
    .digest();
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return uuidText(digest, 0);
}
