import type { Event, FoldRequest } from '@event-manager/core';
import { EventManagerError, type EventsPage, foldStep } from '@event-manager/core/portable';

/** Of one request: few large ones are faster than many small ones. */
const PAGE = 1_000;

type PageOf = (query: object, request: { limit: number; cursor?: string }) => Promise<EventsPage<Event>>;

/** Folds what the service stores, a page at a time. Throws `not_supported` for a filter: the service has none for its history. */
export async function foldRemoteEvents<State>(pageOf: PageOf, request: FoldRequest<State>): Promise<State> {
  const { topic, filter, until, initial, apply } = request;
  if (filter !== undefined) {
    const words = 'A client folds by topic and time; what else an event must be is for apply to say.';
    throw new EventManagerError('not_supported', words, { pointer: '/filter' });
  }
  const query = { topic, to: until };
  let state = typeof initial === 'function' ? (initial as () => State)() : structuredClone(initial);
  for (let cursor: string | undefined; ; ) {
    const page = await pageOf(query, cursor === undefined ? { limit: PAGE } : { limit: PAGE, cursor });
    for (const event of page) state = foldStep(apply, state, event);
    if (page.nextCursor === undefined) return state;
    cursor = page.nextCursor;
  }
}
