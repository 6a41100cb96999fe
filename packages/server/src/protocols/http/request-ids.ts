import type { Chance } from '@event-manager/core';

/** Ids that tell the requests of this process from those of any other; the counter costs nothing per request. */
export function requestIds(chance: Chance): () => string {
  const bytes = new Uint8Array(6);
  chance.fill(bytes);
  const prefix = Buffer.from(bytes).toString('hex');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
