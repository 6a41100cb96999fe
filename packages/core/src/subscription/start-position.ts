import type { EventStore, Partition, Position } from '../contracts/event-store.ts';
import { decodeCursor } from '../query/cursor.ts';
import type { StartFrom } from './subscription.ts';

const FIND_BUDGET_MS = 5_000;

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
  const query = { fromMs: from.timeMs };
  const found = await store.find(query, { limit: 1, direction: 'forward', budgetMs: FIND_BUDGET_MS });
  return (found.records[0]?.place.position ?? bounds.head + 1) - 1;
}
