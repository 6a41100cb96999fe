import type { Event } from '../event/event.ts';

/** Events in order, and how to go on behind them. */
export type EventsPage<Received = Event> = readonly Received[] & {
  /** Absent on the last page. */
  readonly nextCursor?: string;
  /** False when the search was ended by its time budget; `nextCursor` continues it. */
  readonly complete: boolean;
};

/** A list that also says how to go on. As JSON it is the list alone. */
export function eventsPage<Received>(
  events: readonly Received[],
  rest: { readonly nextCursor?: string | undefined; readonly complete: boolean },
): EventsPage<Received> {
  const { nextCursor, complete } = rest;
  return Object.freeze(Object.assign([...events], nextCursor === undefined ? { complete } : { nextCursor, complete }));
}
