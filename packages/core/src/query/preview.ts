/**
 * Tries a pattern and a filter on stored events, without a subscription and without debt: how many would be wanted, and of
 * those that would not, why. The tests are those that delivery makes.
 */
import type { ContextCell } from '../context/context-cell.ts';
import type { Contexts } from '../context/contexts.ts';
import { parseContext, readSubscriber } from '../context/parse-context.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Place, Recorded } from '../contracts/event-store.ts';
import { KeptEvent } from '../dispatch/kept-event.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Event } from '../event/event.ts';
import { compileFilter } from '../filter/compile-filter.ts';
import { explainFailure, type FilterFailure } from '../filter/explain-failure.ts';
import type { Filter } from '../filter/filter.ts';
import { filterWork } from '../filter/filter-work.ts';
import { parseFilter } from '../filter/parse-filter.ts';
import { fieldTable, type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { bytesOf, PageSize } from '../page-size.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { EventQuery } from './event-query.ts';
import { parseEventQuery } from './parse-query.ts';

export const PREVIEW_FIELDS = fieldTable(
  ['topic', 'filter', 'subscriber', 'context', 'from', 'to', 'limit', 'sample', 'cursor', 'direction'],
  { filters: 'filter', subscriberId: 'subscriber', serviceName: 'subscriber', since: 'from', until: 'to' },
);
export const PREVIEW_LIMIT_MAX = 100_000;
export const PREVIEW_SAMPLE_MAX = 100;
const LIMIT_DEFAULT = 10_000;
const SAMPLE_DEFAULT = 5;
const BUDGET_MS = 1_000;
/** Events that are looked at in one turn of the event loop, their work as the dispatcher counts it, and their bytes. */
const CHUNK = 100;
const CHUNK_WORK = 1_000;
const CHUNK_BYTES = 1024 * 1024;

/** What `previewFilter` takes. */
export interface PreviewRequest {
  /** Topic pattern. Default: everything. */
  readonly topic?: string | undefined;
  readonly filter?: unknown;
  /** Whose registered context the filter asks for relevance. */
  readonly subscriber?: string | undefined;
  /** One of its own, used instead. */
  readonly context?: unknown;
  /** Recorded at or after, and before: a time in any spelling. */
  readonly from?: Date | string | number | undefined;
  readonly to?: Date | string | number | undefined;
  /** Events to look at, at most 100,000. Default: 10,000. */
  readonly limit?: number | undefined;
  /** Events to show of each kind, at most 100. Default: 5. */
  readonly sample?: number | undefined;
  /** Goes on behind an earlier preview. */
  readonly cursor?: string | undefined;
  /** `backward` (default) is newest first. */
  readonly direction?: 'forward' | 'backward' | undefined;
}

/** A stored event that was looked at. */
export interface PreviewedEvent {
  readonly id: string;
  readonly topic: string;
  readonly type: string;
  /** RFC 3339. */
  readonly recordedAt: string;
}

/** What a pattern and a filter match of what is stored. */
export interface FilterPreview {
  /** Events that were looked at: those whose topic the pattern matches. */
  readonly looked: number;
  readonly matched: number;
  /** False when the limit or the time ended the search; `nextCursor` continues it. */
  readonly complete: boolean;
  readonly nextCursor?: string;
  readonly matching: readonly PreviewedEvent[];
  /** With the clause that keeps each of them out. */
  readonly notMatching: readonly (PreviewedEvent & Omit<FilterFailure, 'isRelevance'>)[];
}

export interface PreviewOptions {
  readonly adapter: EventBusAdapter;
  readonly contexts: Contexts;
  readonly limits: Limits;
  readonly runtime: Runtime;
}

interface Parsed {
  readonly query: EventQuery;
  readonly filter: Filter | undefined;
  readonly known: ContextCell;
  readonly limit: number;
  readonly sample: number;
  readonly after: Place | undefined;
  readonly direction: 'forward' | 'backward';
}

/** Throws `invalid_query`, `invalid_pattern`, `invalid_filter`, `invalid_context`, `invalid_cursor`, `not_supported`. */
export async function previewFilter(
  options: PreviewOptions,
  _principal: Principal,
  input: unknown,
): Promise<FilterPreview> {
  const { adapter, runtime } = options;
  if (adapter.supports.query === 'none') {
    throw new EventManagerError('not_supported', `The adapter ${adapter.name} cannot search events.`);
  }
  const { query, filter, known, limit, sample, after, direction } = parsed(options, input);
  const tally = new Tally(filter, known, sample);
  const most = Math.max(1, Math.min(CHUNK, Math.floor(CHUNK_WORK / (1 + filterWork(filter)))));
  const chunk = new PageSize({ most, bytesMax: CHUNK_BYTES });
  const endMs = runtime.clock.monotonicMs() + BUDGET_MS;
  for (let place = after; ; ) {
    const leftMs = Math.max(1, endMs - runtime.clock.monotonicMs());
    const { records, next } = await adapter.store.find(query, {
      limit: Math.min(chunk.limit, limit - tally.looked),
      direction,
      budgetMs: leftMs,
      ...(place === undefined ? {} : { after: place }),
    });
    chunk.saw(records.length, bytesOf(records));
    for (const record of records) tally.look(record);
    if (next === undefined) return tally.answer(undefined);
    place = next;
    if (tally.looked >= limit || runtime.clock.monotonicMs() >= endMs) return tally.answer(place);
    await new Promise<void>((resolve) => runtime.timers.soon(resolve));
  }
}

/** Counts, and keeps the first ones of each kind. */
class Tally {
  looked = 0;
  #matched = 0;
  readonly #filter: Filter | undefined;
  readonly #known: ContextCell;
  readonly #sample: number;
  readonly #matches: (event: Event) => boolean;
  readonly #matching: PreviewedEvent[] = [];
  readonly #notMatching: FilterPreview['notMatching'][number][] = [];

  constructor(filter: Filter | undefined, known: ContextCell, sample: number) {
    this.#filter = filter;
    this.#known = known;
    this.#sample = sample;
    this.#matches = filter ? compileFilter(filter, known) : () => true;
  }

  look(record: Recorded): void {
    const kept = new KeptEvent(record);
    this.looked++;
    if (this.#matches(kept.event)) {
      this.#matched++;
      if (this.#matching.length < this.#sample) this.#matching.push(previewed(kept));
      return;
    }
    if (this.#notMatching.length >= this.#sample) return;
    const { isRelevance: _isRelevance, ...failure } = explainFailure(this.#filter, kept.event, this.#known)!;
    this.#notMatching.push({ ...previewed(kept), ...failure });
  }

  answer(next: Place | undefined): FilterPreview {
    return {
      looked: this.looked,
      matched: this.#matched,
      complete: next === undefined,
      ...(next === undefined ? {} : { nextCursor: encodeCursor([next]) }),
      matching: this.#matching,
      notMatching: this.#notMatching,
    };
  }
}

function previewed({ id, topic, event, recordedAtMs }: KeptEvent): PreviewedEvent {
  return { id, topic, type: event.type, recordedAt: new Date(recordedAtMs).toISOString() };
}

function parsed({ contexts, limits }: PreviewOptions, input: unknown): Parsed {
  const fields = readFields(input, PREVIEW_FIELDS, { code: 'invalid_query', pointer: '' });
  const [filter, subscriber, context] = ['filter', 'subscriber', 'context'].map((name) => fields.get(name));
  const given = ['topic', 'from', 'to'].map((name) => [name, fields.get(name)] as const);
  const own =
    context === undefined
      ? undefined
      : parseContext(context, limits, { pointer: fields.pointer('context'), code: 'invalid_context' });
  const known = contexts.cellOf({
    ...(own === undefined ? {} : { context: own }),
    ...(subscriber === undefined ? {} : { subscriber: readSubscriber(subscriber, limits) }),
  });
  return {
    query: parseEventQuery(Object.fromEntries(given), limits),
    filter: filter === undefined ? undefined : parseFilter(filter, limits, fields.pointer('filter')),
    known,
    limit: readWhole(fields, 'limit', LIMIT_DEFAULT, 1, PREVIEW_LIMIT_MAX),
    sample: readWhole(fields, 'sample', SAMPLE_DEFAULT, 0, PREVIEW_SAMPLE_MAX),
    after: readAfter(fields),
    direction: readDirection(fields),
  };
}

function readWhole(fields: ReadFields, name: string, otherwise: number, min: number, max: number): number {
  const value = fields.get(name) ?? otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`A whole number from ${min} to ${max} is expected.`, fields.pointer(name));
}

function readAfter(fields: ReadFields): Place | undefined {
  const cursor = fields.get('cursor');
  if (cursor === undefined) return undefined;
  if (typeof cursor !== 'string') throw invalid('A cursor is a text.', fields.pointer('cursor'));
  return decodeCursor(cursor, fields.pointer('cursor'))[0];
}

function readDirection(fields: ReadFields): 'forward' | 'backward' {
  const direction = fields.get('direction') === undefined ? 'backward' : fields.get('direction');
  if (direction === 'forward' || direction === 'backward') return direction;
  throw invalid('forward or backward is expected.', fields.pointer('direction'));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_query', message, { pointer });
}
