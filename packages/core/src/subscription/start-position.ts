import type { EventStore, Partition, Place, Position, Recorded } from '../contracts/event-store.ts';
import { decodeCursor } from '../query/cursor.ts';
import type { EventQuery } from '../query/event-query.ts';
import type { StartFrom } from './subscription.ts';

const OWN_EVENTS = '$sys/#';
/** Of one search: the store looks no longer at a time, and is asked on. */
const FIND_BUDGET_MS = 1_000;

export interface StartPositionOptions {
  readonly store: EventStore;
  readonly partition: Partition;
  /** For a store that has nothing of the partition yet. */
  readonly routedHead: Position;
}

/** The position behind which a new subscription begins. */
export async function startPosition(from: StartFrom, options: StartPositionOptions): Promise<Position> {
  const { store, partition, routedHead } = options;
  const bounds = (await store.bounds()).find((entry) => entry.partition === partition);
  if (!bounds) return routedHead;
  if (from === 'latest') return bounds.head;
  if (from === 'earliest') return bounds.first - 1;
  if ('cursor' in from) {
    const position = decodeCursor(from.cursor, '/options/startFrom/cursor').find((p) => p.partition === partition);
    return Math.min(position?.position ?? 0, bounds.head);
  }
  const first = await firstSince(store, { fromMs: from.timeMs });
  // A pattern that matches everything leaves out what the bus tells of itself: some of that may lie before.
  const until = first === undefined ? {} : { toMs: first.recordedAtMs + 1 };
  const own = await firstSince(store, { fromMs: from.timeMs, ...until, topic: OWN_EVENTS });
  // Nothing is as young, or the time lies ahead: it begins with what comes.
  const positions = [first, own].map((record) => record?.place.position ?? bounds.head + 1);
  return Math.min(...positions) - 1;
}

async function firstSince(store: EventStore, query: EventQuery): Promise<Recorded | undefined> {
  let after: Place | undefined;
  do {
    const options = { limit: 1, direction: 'forward', budgetMs: FIND_BUDGET_MS } as const;
    const found = await store.find(query, { ...options, ...(after === undefined ? {} : { after }) });
    if (found.records[0]) return found.records[0];
    after = found.complete ? undefined : found.next;
  } while (after !== undefined);
  return undefined;
}
