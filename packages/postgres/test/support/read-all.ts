import type { EventStore, Recorded } from '@event-manager/core';

/** The whole log. */
export async function readAll(store: EventStore): Promise<Recorded[]> {
  const all: Recorded[] = [];
  for (let after = 0; ; ) {
    const { records, scannedTo } = await store.read(0, after, { limit: 10_000, bytesMax: 64 << 20 });
    if (scannedTo === after) return all;
    all.push(...records);
    after = scannedTo;
  }
}
