import type { Position, Recorded } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import type { JsonObject } from '../json.ts';
import { statePages } from '../state-pages.ts';

/**
 * The first of `records` that may be appended once more: what a schedule record promises stands in the log before that record
 * goes, and a process that died in between left it behind. While the event stands here the second append is answered as a
 * duplicate; removed, it would be a new event under the same id.
 */
export async function firstAppendedAgain(
  state: StateStore,
  records: readonly Recorded[],
): Promise<Position | undefined> {
  const kept = await state.get(
    'schedule-event',
    records.map(({ id }) => id),
  );
  const promised = await promisedIds(state);
  return records.find(({ id }, at) => kept[at] !== undefined || promised.has(id))?.place.position;
}

/** Of the events that tell of dead letters; nearly always there are none. */
async function promisedIds(state: StateStore): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const page of statePages(state, 'schedule')) {
    for (const { value } of page) ids.add((value as JsonObject)['id'] as string);
  }
  return ids;
}
