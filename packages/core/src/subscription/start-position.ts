import type { EventStore, Partition, Place, Position } from '../contracts/event-store.ts';
import { decodeCursor } from '../query/cursor.ts';
import type { StartFrom } from './subscription.ts';

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
  const first = await firstSince(store, from.timeMs);
  // Nothing is as young, or the time lies ahead: it begins with what comes.
  return first === undefined ? bounds.head : first - 1;
}

async function firstSince(store: EventStore, fromMs: number): Promise<Position | undefined> {
  let after: Place | undefined;
  do {
    const options = { limit: 1, direction: 'forward', budgetMs: FIND_BUDGET_MS } as const;
    const found = await store.find({ fromMs }, { ...options, ...(after === undefined ? {} : { after }) });
    if (found.records[0]) return found.records[0].place.position;
    after = found.complete ? undefined : found.next;
  } while (after !== undefined);
  return undefined;
}
