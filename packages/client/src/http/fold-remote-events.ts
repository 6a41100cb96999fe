/**
 * Folds what the service stores, a page at a time.
 *
 * With a filter the service says which events it takes, by the tests of delivery (`POST /filters/preview`), a piece of the log at
 * a time, and only pieces with such events are fetched. Pieces without any grow, so that a few events of many cost few requests.
 */
import type { Event, FilterPreview, FoldRequest, PreviewRequest } from '@event-manager/core';
import { type EventsPage, foldStep } from '@event-manager/core/portable';

/** Of one request: few large ones are faster than many small ones. */
const PAGE = 1_000;
/** As many as one preview names. */
const NAMED_MAX = 100;
const PIECE_MAX = 10_000;

export interface RemoteHistory {
  page(query: object, request: { readonly limit: number; readonly cursor?: string }): Promise<EventsPage<Event>>;
  preview(request: PreviewRequest): Promise<FilterPreview>;
}

/** Throws what the service says of the topic and the filter, and what `apply` throws. */
export async function foldRemoteEvents<State>(history: RemoteHistory, request: FoldRequest<State>): Promise<State> {
  const { topic, filter, until, initial, apply } = request;
  let state = typeof initial === 'function' ? (initial as () => State)() : structuredClone(initial);
  const query = { topic, to: until };
  const events =
    filter === undefined ? everyEvent(history, query, { limit: PAGE }) : eventsThat(history, query, filter);
  for await (const event of events) state = foldStep(apply, state, event);
  return state;
}

async function* everyEvent(
  history: RemoteHistory,
  query: object,
  { limit, from }: { readonly limit: number; readonly from?: string | undefined },
): AsyncGenerator<Event> {
  for (let cursor = from; ; ) {
    const page = await history.page(query, { limit, ...(cursor === undefined ? {} : { cursor }) });
    yield* page;
    if (page.nextCursor === undefined) return;
    cursor = page.nextCursor;
  }
}

async function* eventsThat(
  history: RemoteHistory,
  query: Pick<PreviewRequest, 'topic' | 'to'>,
  filter: unknown,
): AsyncGenerator<Event> {
  let limit = NAMED_MAX;
  for (let cursor: string | undefined; ; ) {
    const piece = { ...query, filter, cursor, limit, sample: NAMED_MAX, direction: 'forward' } as const;
    const { matched, matching, nextCursor } = await history.preview(piece);
    if (matched > matching.length) {
      limit = NAMED_MAX;
      continue;
    }
    const wanted = new Set(matching.map(({ id }) => id));
    if (wanted.size > 0) {
      for await (const event of everyEvent(history, query, { limit: Math.min(PAGE, limit), from: cursor })) {
        if (wanted.delete(event.id)) yield event;
        if (wanted.size === 0) break;
      }
    }
    if (nextCursor === undefined) return;
    cursor = nextCursor;
    if (matched === 0) limit = Math.min(PIECE_MAX, limit * 2);
  }
}
