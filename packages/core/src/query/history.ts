import { type EventGraph, type EventGraphRequest, readGraphBounds } from '../causation/event-graph.ts';
import { traceEvent } from '../causation/trace-event.ts';
import type { RelevanceContextIn } from '../context/context.ts';
import type { ContextCell } from '../context/context-cell.ts';
import type { Contexts } from '../context/contexts.ts';
import { parseContext, readSubscriber } from '../context/parse-context.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Partition, Place, Position, Recorded } from '../contracts/event-store.ts';
import type { Route } from '../dispatch/route.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { compileFilter } from '../filter/compile-filter.ts';
import { parseFilter } from '../filter/parse-filter.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import { type FoldRequest, foldEvents } from '../projection/fold-events.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { EventStream } from '../stream/event-stream.ts';
import { Turns } from '../stream/turns.ts';
import { parsePattern } from '../topic/pattern.ts';
import { checkStreamRequest } from './check-stream-request.ts';
import { decodeCursor } from './cursor.ts';
import type { EventQuery } from './event-query.ts';
import { compileQuery } from './matches-query.ts';
import { type FilterPreview, previewFilter } from './preview.ts';

const FIND_BUDGET_MS = 1_000;

export interface StreamRequest {
  /** Patterns over topics; everything when absent. */
  readonly topics?: readonly string[] | undefined;
  readonly filter?: unknown;
  /** Whose registered context the filter asks for relevance. */
  readonly subscriber?: string | undefined;
  /** One of its own, used instead. */
  readonly context?: RelevanceContextIn | undefined;
  /** A cursor, or one end of the log. Default: `latest`. */
  readonly from?: 'latest' | 'earliest' | (string & {}) | undefined;
}

export interface FindRequest {
  readonly limit: number;
  /** Continue behind this place. */
  readonly after?: Place | undefined;
  readonly direction: 'forward' | 'backward';
}

export interface HistoryOptions {
  readonly adapter: EventBusAdapter;
  readonly route: Route;
  readonly partition: Partition;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly contexts: Contexts;
}

/** Reads what is stored, without debt: one event, a search, a stream. */
export class History {
  readonly #options: HistoryOptions;
  readonly #streams = new Set<EventStream>();
  readonly #turns: Turns;
  #isClosed = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#turns = new Turns(options.runtime);
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  async event(_principal: Principal, id: string): Promise<Recorded | undefined> {
    const [record] = await this.#options.adapter.store.get([id]);
    return record;
  }

  /** Finds stored events; the time to look is bounded, and `complete: false` says that it ended the search. */
  async find(
    _principal: Principal,
    query: EventQuery,
    request: FindRequest,
  ): Promise<{ records: readonly Recorded[]; next?: Place; complete: boolean }> {
    const { adapter } = this.#options;
    this.#assertSearchable();
    // A pattern that cannot be read is the caller's mistake, whatever the adapter does with it.
    compileQuery(query);
    const { limit, direction, after } = request;
    const options = { limit, direction, budgetMs: FIND_BUDGET_MS, ...(after === undefined ? {} : { after }) };
    return adapter.store.find(query, options);
  }

  /** Tries a pattern and a filter on stored events. Throws what `previewFilter` of `preview.ts` throws. */
  preview(principal: Principal, request: unknown): Promise<FilterPreview> {
    return previewFilter(this.#options, principal, request);
  }

  /** What an event followed from and what followed from it. Throws `event_not_found`, `invalid_query`, `not_supported`. */
  async graph(_principal: Principal, id: string, request: EventGraphRequest = {}): Promise<EventGraph> {
    const bounds = readGraphBounds(request);
    this.#assertSearchable();
    const { adapter, runtime } = this.#options;
    return traceEvent({ store: adapter.store, runtime, bounds }, id);
  }

  /** Folds what is stored into a state. Throws `invalid_pattern`, `invalid_filter`, `invalid_query`, `not_supported`, and what `apply` throws. */
  async fold<State>(_principal: Principal, request: FoldRequest<State>): Promise<State> {
    this.#assertSearchable();
    return foldEvents(this.#options, request);
  }

  /** Opens a stream. Throws `invalid_query`, `invalid_pattern`, `invalid_filter`, `invalid_context`, `invalid_cursor`, `closed`. */
  async stream(_principal: Principal, request: StreamRequest): Promise<EventStream> {
    if (this.#isClosed) throw new EventManagerError('closed', 'The event manager is closed.');
    checkStreamRequest(request);
    const { adapter, route, limits, partition } = this.#options;
    const patterns = (request.topics ?? ['#']).map((topic) => parsePattern(topic, limits, '/topics'));
    const filter = request.filter === undefined ? undefined : parseFilter(request.filter, limits, '/filter');
    const known = this.#contextOf(request);
    const stream = new EventStream({
      store: adapter.store,
      route,
      patterns,
      matches: filter && compileFilter(filter, known),
      after: await this.#start(request.from ?? 'latest'),
      partition,
      turns: this.#turns,
      onClose: (closed) => this.#streams.delete(closed),
    });
    this.#streams.add(stream);
    return stream;
  }

  /** The log has grown. */
  advanced(): void {
    for (const stream of this.#streams) stream.advanced();
  }

  /** Ends all streams; no new one is opened. */
  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.close();
  }

  #assertSearchable(): void {
    const { supports, name } = this.#options.adapter;
    if (supports.query !== 'none') return;
    throw new EventManagerError('not_supported', `The adapter ${name} cannot search events.`);
  }

  #contextOf({ subscriber, context }: StreamRequest): ContextCell {
    const { contexts, limits } = this.#options;
    const own = context && parseContext(context, limits, { pointer: '/context', code: 'invalid_context' });
    return contexts.cellOf({
      ...(own === undefined ? {} : { context: own }),
      ...(subscriber === undefined ? {} : { subscriber: readSubscriber(subscriber, limits) }),
    });
  }

  async #start(from: string): Promise<Position> {
    const { adapter, route, partition } = this.#options;
    if (from === 'latest') return route.head;
    if (from === 'earliest') return ((await adapter.store.bounds())[partition]?.first ?? 1) - 1;
    const place = decodeCursor(from, '/from').find((known) => known.partition === partition);
    return place?.position ?? 0;
  }
}
