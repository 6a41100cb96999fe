import type { EventStore, LostRange, Recorded } from '@event-manager/core';

/** Everything in the log and every range that it says is lost. */
export async function readAll(store: EventStore): Promise<{ records: Recorded[]; lost: LostRange[] }> {
  const records: Recorded[] = [];
  const lost: LostRange[] = [];
  let after = 0;
  for (;;) {
    const page = await store.read(0, after, { limit: 100, bytesMax: 1 << 20 });
    records.push(...page.records);
    if (page.lost !== undefined) lost.push(page.lost);
    if (page.scannedTo === after) return { records, lost };
    after = page.scannedTo;
  }
}
