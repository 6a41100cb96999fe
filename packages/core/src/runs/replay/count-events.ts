import type { EventStore, Partition, Position, Recorded } from '../../contracts/event-store.ts';
import type { Lane } from '../../event/priority.ts';
import type { Pattern } from '../../topic/pattern.ts';
import { PatternIndex } from '../../topic/pattern-index.ts';

/** Records that are looked at: more are not worth the wait of whoever asks. */
const RECORDS_MAX = 250_000;
const CHUNK_RECORDS = 1_024;
const CHUNK_BYTES = 4 * 1024 * 1024;

/** What is held against the events of a range. */
export interface Counted {
  readonly id: string;
  readonly pattern: Pattern;
  readonly wants: (lane: Lane) => boolean;
  /** What else it asks; absent where it asks for nothing. */
  readonly matches?: ((record: Recorded) => boolean) | undefined;
  /** Events that it would be offered. */
  offered: number;
  /** Those of them that it wants. */
  wanted: number;
}

export interface CountRange {
  readonly from: Position;
  readonly until: Position;
  readonly takes: (record: Recorded) => boolean;
}

/** Counts for each what it has to do with the events of a range. False when there were too many to look at all. */
export async function countEvents(
  store: EventStore,
  partition: Partition,
  { from, until, takes }: CountRange,
  { counted, onWanted }: { counted: readonly Counted[]; onWanted?: (record: Recorded) => void },
): Promise<boolean> {
  const index = new PatternIndex<Counted>();
  for (const one of counted) index.add(one.pattern, one);
  let after = from - 1;
  let looked = 0;
  while (after < until) {
    const { records, scannedTo } = await store.read(partition, after, {
      ...{ limit: CHUNK_RECORDS, bytesMax: CHUNK_BYTES, until },
    });
    for (const record of records) {
      const matching = index.match(record.topic);
      if (matching.length > 0 && takes(record) && count(record, matching)) onWanted?.(record);
    }
    if (scannedTo <= after) return true;
    after = scannedTo;
    looked += records.length;
    if (looked >= RECORDS_MAX && after < until) return false;
  }
  return true;
}

/** True when somebody wants it. */
function count(record: Recorded, matching: readonly Counted[]): boolean {
  let isWanted = false;
  for (const one of matching) {
    if (!one.wants(record.lane)) continue;
    one.offered++;
    if (one.matches?.(record) === false) continue;
    one.wanted++;
    isWanted = true;
  }
  return isWanted;
}
