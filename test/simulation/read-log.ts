import type { EventStore, Recorded } from '@event-manager/core';

/** Everything that the log has. */
export async function readLog(store: EventStore): Promise<readonly Recorded[]> {
  const { first, head } = (await store.bounds())[0]!;
  const records: Recorded[] = [];
  for (let after = first - 1; after < head; ) {
    const page = await store.read(0, after, { limit: 1_000, bytesMax: Number.MAX_SAFE_INTEGER });
    records.push(...page.records);
    after = page.scannedTo;
  }
  return records;
}
