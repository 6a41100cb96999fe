import type { Partition, Position } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import { PageSize } from '../page-size.ts';
import type { Timers } from '../runtime/clock.ts';
import { type DeadLetter, lastRoundOf, positionKey } from './dead-letter.ts';

/** A letter holds its event. */
const PAGE = { most: 200, bytesMax: 1024 * 1024 };
/** Behind the letters of a position, and before those of the next one. */
const BEHIND = '/~';

/**
 * The highest round that the letters of a subscription tell of, those that are kept of the event at a position, or of all behind
 * one; -1 where there are none. A letter of a round that is kept would be overwritten, and what tells of it be taken for a duplicate;
 * a delivery in the round of another one would be answered by a receiver that remembers what it said of that.
 */
export async function highestRound(
  { state, timers }: { readonly state: Pick<StateStore, 'load'>; readonly timers: Pick<Timers, 'soon'> },
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
  const size = new PageSize(PAGE);
  for (let after = first; ; ) {
    const { limit } = size;
    const page = await state.load('dead-letter', { prefix, limit, ...(after === undefined ? {} : { after }) });
    const letters = page.entries.map(({ value }) => value as unknown as DeadLetter);
    for (const letter of letters) highest = Math.max(highest, lastRoundOf(letter));
    const bytes = letters.reduce((sum, { event }) => sum + event.length, 0);
    size.saw(letters.length, bytes);
    if (page.next === undefined) return highest;
    after = page.next;
    // A store that answers from memory waits for nothing, and others want the loop, too.
    await new Promise<void>((resolve) => timers.soon(resolve));
  }
}
