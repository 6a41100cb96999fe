import type { EventStore, LostRange, Partition, ReadOptions, Recorded } from '@event-manager/core';

/** Reads a partition to its head in pages and gives what came, so that tests see what an engine would see. */
export async function readLog(
  store: EventStore,
  partition: Partition,
  options: Partial<ReadOptions> = {},
): Promise<{ records: Recorded[]; lost: LostRange[]; scannedTo: number }> {
  const records: Recorded[] = [];
  const lost: LostRange[] = [];
  let scannedTo = 0;
  for (;;) {
    const page = await store.read(partition, scannedTo, { limit: 1000, bytesMax: 16 * 1024 * 1024, ...options });
    records.push(...page.records);
    if (page.lost !== undefined) lost.push(page.lost);
    if (page.scannedTo === scannedTo) return { records, lost, scannedTo };
    scannedTo = page.scannedTo;
  }
}
