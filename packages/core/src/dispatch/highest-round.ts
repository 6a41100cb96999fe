import type { Partition, Position } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import { type DeadLetter, lastRoundOf, positionKey } from './dead-letter.ts';

/** A letter holds its event: a page of the largest is 25 MiB. */
const PAGE = 100;
/** Behind the letters of a position, and before those of the next one. */
const BEHIND = '/~';

/**
 * The highest round that the letters of a subscription tell of, those that are kept of the event at a position, or of all behind
 * one; -1 where there are none. A letter of a round that is kept would be overwritten, and what tells of it be taken for a duplicate;
 * a delivery in the round of another one would be answered by a receiver that remembers what it said of that.
 */
export async function highestRound(
  state: Pick<StateStore, 'load'>,
  subscriptionId: string,
  partition: Partition,
  where: { readonly at: Position } | { readonly behind: Position },
): Promise<number> {
  const all = `${subscriptionId}/${partition}/`;
  const [prefix, first] =
    'at' in where
      ? [`${all}${positionKey(where.at)}/`, undefined]
      : [all, `${all}${positionKey(where.behind)}${BEHIND}`];
  let highest = -1;
  let after = first;
  do {
    const page = await state.load('dead-letter', { prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { value } of page.entries) highest = Math.max(highest, lastRoundOf(value as unknown as DeadLetter));
    after = page.next;
  } while (after !== undefined);
  return highest;
}
