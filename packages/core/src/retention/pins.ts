import type { Position } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import { loadKeyRecords } from '../dispatch/order/open-keys.ts';
import type { QueueKeys } from '../dispatch/queue-options.ts';
import { carriesItsEvent } from '../dispatch/redriven.ts';
import type { JsonObject } from '../json.ts';
import { statePages } from '../state-pages.ts';
import { matchesPattern } from '../topic/pattern.ts';
import { Debt, type DebtFacts } from './debt.ts';

/**
 * Up to where a subscription needs nothing of the log any more, by what is durable: what only memory knows to be settled may
 * be attempted again after a crash. Only a reset moves it back, so without one an older answer is true still.
 */
export async function pinOf(state: StateStore, keys: QueueKeys): Promise<Position> {
  const [progress] = await state.get('progress', [keys.progress]);
  // It was removed meanwhile.
  if (!progress) return Number.POSITIVE_INFINITY;
  const { lanes = [] } = progress.value as unknown as { readonly lanes?: readonly (readonly [scanned: Position])[] };
  let pin = Math.min(...lanes.map(([scanned]) => scanned));
  // Before the debts: what waits behind a key becomes one when its turn comes, and must be seen here or there.
  const { records } = await loadKeyRecords(state, keys.owedPrefix);
  const owed = await firstOfLog(state, keys.owedPrefix);
  if (owed !== undefined) pin = Math.min(pin, Number(owed.slice(keys.owedPrefix.length)) - 1);
  // A parked key without later events has a record and needs nothing.
  for (const { from, through } of records) if (from <= through) pin = Math.min(pin, from - 1);
  return pin;
}

/** The first debt whose event only the log has. */
async function firstOfLog(state: StateStore, prefix: string): Promise<string | undefined> {
  // Most often it is the very first one.
  const page = await state.load('owed', { prefix, limit: 1 });
  const [first] = page.entries;
  if (!first || !carriesItsEvent(first.value as JsonObject)) return first?.key;
  for await (const entries of statePages(state, 'owed', prefix)) {
    const found = entries.find(({ value }) => !carriesItsEvent(value as JsonObject));
    if (found) return found.key;
  }
  return undefined;
}

/** The same by what memory knows: where all of it is durable, and where nothing has to be. */
export function pinOfServed({ queue }: ActiveSubscription, routedHead: Position): Position {
  let pin = routedHead;
  for (const lane of queue.lanes) pin = Math.min(pin, lane.floor(routedHead));
  for (const { position, redriven } of queue.owed.values()) if (!redriven) pin = Math.min(pin, position - 1);
  for (const entry of queue.keys?.entries() ?? []) if (entry.owesRange) pin = Math.min(pin, entry.from - 1);
  return pin;
}

/**
 * The same for one that nobody serves, up to `facts.through`: its records do not move on over events that are none of its
 * business, so these are looked at.
 */
export async function pinAmong(facts: DebtFacts, events: readonly KeptEvent[]): Promise<Position> {
  const { through } = facts;
  const debt = await Debt.load(facts);
  const first = events.find((kept) => kept.position <= through && debt?.owes(kept) === true);
  return first === undefined ? through : first.position - 1;
}

/** Events up to `through` that a subscription which ends with this process has not read yet, and never will. */
export function unreadOf(active: ActiveSubscription, events: readonly KeptEvent[], through: Position): number {
  const { queue, pattern } = active;
  return events.filter((kept) => {
    if (kept.position > through || !active.wants(kept.lane) || !matchesPattern(pattern, kept.topic)) return false;
    const lane = queue.byLane[kept.lane]!;
    return lane.state !== 'live' && kept.position > lane.cursor;
  }).length;
}
