import type { Position } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import { loadKeyRecords } from '../dispatch/order/open-keys.ts';
import type { QueueKeys } from '../dispatch/queue-options.ts';
import { statePages } from '../state-pages.ts';

/**
 * Deliveries that a durable subscription may still have to make while nobody serves it here, by its records: what it owes, and
 * every position behind the one up to which it is settled. Where another process serves it, it may be further by one commit.
 */
export async function unservedLag(state: StateStore, keys: QueueKeys, head: Position): Promise<number> {
  const [progress] = await state.get('progress', [keys.progress]);
  const { lanes = [] } = (progress?.value ?? {}) as unknown as { lanes?: readonly (readonly [scanned: Position])[] };
  const floor = Math.min(head, ...lanes.map(([scanned]) => scanned));
  let owed = 0;
  for await (const { length } of statePages(state, 'owed', keys.owedPrefix)) owed += length;
  const { records } = await loadKeyRecords(state, keys.owedPrefix);
  for (const { count } of records) owed += count;
  return owed + head - floor;
}
