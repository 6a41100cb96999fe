import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Place, Recorded } from '../contracts/event-store.ts';
import type { Event } from '../event/event.ts';
import type { FilterIn } from '../filter/filter-in.ts';
import { readTimeMs } from '../ingest/read-time.ts';
import type { Limits } from '../limits.ts';
import { bytesOf, PageSize } from '../page-size.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { foldStep } from './fold-step.ts';
import { parseSelection } from './parse-projection.ts';

const PAGE = { most: 500, bytesMax: 1024 * 1024 };
const BUDGET_MS = 1_000;

/** Events to be folded once, now, into a state that is kept nowhere. */
export interface FoldRequest<State, Received = Event> {
  /** Topic pattern; `#` when absent. An exact topic, such as that of one aggregate, is found by the index. */
  readonly topic?: string | undefined;
  readonly filter?: FilterIn | undefined;
  /** Only what was recorded before this: the state at a point in time. A `Date`, RFC 3339 text or milliseconds since 1970. */
  readonly until?: Date | string | number | undefined;
  readonly initial: State | (() => State);
  /** Returns the state behind the event; nothing when it changed the state in place. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return is what changes a state in place.
  readonly apply: (state: State, event: Received) => State | undefined | void;
}

export interface FoldOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
}

/** Throws `invalid_pattern`, `invalid_filter`, `invalid_query`, `not_supported`, and what `apply` throws. */
export async function foldEvents<State>(options: FoldOptions, request: FoldRequest<State>): Promise<State> {
  const { topic = '#', until, initial, apply } = request;
  const { adapter, runtime, limits } = options;
  const select = parseSelection(request, limits);
  const toMs = until === undefined ? undefined : readTimeMs(until, '/until', 'invalid_query');
  const query = { topic, ...(toMs === undefined ? {} : { toMs }) };
  let state = typeof initial === 'function' ? (initial as () => State)() : structuredClone(initial);
  const take = (record: Recorded): void => {
    const event = select(record);
    if (event !== undefined) state = foldStep(apply, state, event);
  };
  const size = new PageSize(PAGE);
  for (let after: Place | undefined; ; ) {
    const page = { limit: size.limit, direction: 'forward', budgetMs: BUDGET_MS } as const;
    const { records, next } = await adapter.store.find(query, after === undefined ? page : { ...page, after });
    size.saw(records.length, bytesOf(records));
    for (const record of records) take(record);
    if (next === undefined) return state;
    after = next;
    await new Promise<void>((resolve) => runtime.timers.soon(resolve));
  }
}
