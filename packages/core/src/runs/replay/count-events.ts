import type { EventStore, Partition, Position, Recorded } from '../../contracts/event-store.ts';
import { KeptEvent } from '../../dispatch/kept-event.ts';
import { untilExpiryMs } from '../../dispatch/until-expiry.ts';
import type { Event } from '../../event/event.ts';
import type { Lane } from '../../event/priority.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Pattern } from '../../topic/pattern.ts';
import { PatternIndex } from '../../topic/pattern-index.ts';

/** Records that are looked at, and the time for it: more are not worth the wait of whoever asks. */
const RECORDS_MAX = 250_000;
const BUDGET_MS = 5_000;
const CHUNK_RECORDS = 1_024;
const CHUNK_BYTES = 1024 * 1024;
/** Time before the loop lets input and timers run, and what is held against each other before anybody looks at the clock. */
const TURN_MS = 10;
const TURN_MATCHES = 256;
const BYTES_AS_A_MATCH = 1_024;

/** What is held against the events of a range. */
export interface Counted {
  readonly id: string;
  readonly pattern: Pattern;
  readonly wants: (lane: Lane) => boolean;
  /** What else it asks; absent where it asks for nothing. */
  readonly matches?: ((event: Event) => boolean) | undefined;
  /** Events that it would be offered: by topic and priority. */
  offered: number;
  /** Those of them that it wants and that have not expired; without anybody to tell of them, expired ones count, too. */
  wanted: number;
}

export interface CountRange {
  readonly from: Position;
  readonly until: Position;
  readonly takes: (record: Recorded) => boolean;
}

export interface CountOptions {
  readonly store: EventStore;
  readonly partition: Partition;
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>;
}

/** Counts for each what it has to do with the events of a range. False when there were too many to look at all. */
export async function countEvents(
  { store, partition, runtime }: CountOptions,
  { from, until, takes }: CountRange,
  { counted, onWanted }: { counted: readonly Counted[]; onWanted?: (kept: KeptEvent) => void },
): Promise<boolean> {
  const { clock } = runtime;
  const endMs = clock.monotonicMs() + BUDGET_MS;
  const turn = new CountTurn(runtime);
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
      if (matching.length > 0 && takes(record)) {
        // One that is decoded once for all who ask.
        const kept = new KeptEvent(record);
        const isExpired = onWanted !== undefined && untilExpiryMs(kept, clock.wallMs()) <= 0;
        if (count(kept, matching, isExpired)) onWanted?.(kept);
      }
      if (turn.isOver(1 + matching.length + record.body.length / BYTES_AS_A_MATCH)) await turn.next();
    }
    if (scannedTo <= after) return true;
    after = scannedTo;
    looked += records.length;
    if (after < until && (looked >= RECORDS_MAX || clock.monotonicMs() >= endMs)) return false;
  }
  return true;
}

/** True when somebody wants it. */
function count(kept: KeptEvent, matching: readonly Counted[], isExpired: boolean): boolean {
  let isWanted = false;
  for (const one of matching) {
    if (!one.wants(kept.lane)) continue;
    one.offered++;
    if (isExpired || one.matches?.(kept.event) === false) continue;
    one.wanted++;
    isWanted = true;
  }
  return isWanted;
}

/** The rest of the process has its turn beside a long count. */
class CountTurn {
  readonly #runtime: CountOptions['runtime'];
  #left = TURN_MATCHES;
  #endMs: number;

  constructor(runtime: CountOptions['runtime']) {
    this.#runtime = runtime;
    this.#endMs = runtime.clock.monotonicMs() + TURN_MS;
  }

  isOver(matches: number): boolean {
    this.#left -= matches;
    if (this.#left > 0) return false;
    this.#left = TURN_MATCHES;
    return this.#runtime.clock.monotonicMs() >= this.#endMs;
  }

  async next(): Promise<void> {
    const { clock, timers } = this.#runtime;
    await new Promise<void>((resolve) => timers.soon(resolve));
    this.#endMs = clock.monotonicMs() + TURN_MS;
  }
}
