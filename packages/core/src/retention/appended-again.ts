import type { Position, Recorded } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import { readDueKey } from '../schedule/schedule-record.ts';

const PAGE = 1_000;

/**
 * The first of `records` that may be appended once more: an event for later stands in the log before its schedule record goes,
 * and a process that died in between left the record behind. While the event stands here the second append is answered as a
 * duplicate; removed, it would be a new event under the same id.
 */
export async function firstAppendedAgain(
  state: StateStore,
  records: readonly Recorded[],
  wallMs: number,
): Promise<Position | undefined> {
  const due = new Set<string>();
  let after: string | undefined;
  do {
    const page = await state.load('schedule-due', { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { key } of page.entries) {
      const { dueMs, id } = readDueKey(key);
      if (dueMs > wallMs) return find(records, due);
      due.add(id);
    }
    after = page.next;
  } while (after !== undefined);
  return find(records, due);
}

function find(records: readonly Recorded[], ids: ReadonlySet<string>): Position | undefined {
  return ids.size === 0 ? undefined : records.find(({ id }) => ids.has(id))?.place.position;
}
