import {
  compileQuery,
  type EventQuery,
  type FindOptions,
  type FindResult,
  type Place,
  type Recorded,
} from '@event-manager/core';
import type { Narrowing } from '../index/segment-index.ts';
import { readKnown } from './get-events.ts';
import type { LogCore } from './log-core.ts';
import { narrowQuery } from './narrow-query.ts';
import type { Segment } from './segment.ts';

/**
 * Indexes asked at once. A page is mostly full after the first segment; the more segments had little to give, the rarer is
 * what is searched for, and the more of them are asked together.
 */
const SEGMENTS_AT_ONCE_MAX = 16;

/** Records read at once while a page fills. */
const READ_AT_ONCE = 32;

/**
 * `EventStore.find`: goes through the segments in the asked direction, lets each index name the ordinals that may match,
 * reads those records and matches them. Segments outside the time of the query are passed over unread.
 */
export async function findEvents(core: LogCore, query: EventQuery, options: FindOptions): Promise<FindResult> {
  const { clock } = core.folder.runtime;
  const search = new Search(core, query, options, clock.monotonicMs() + options.budgetMs);
  const forward = options.direction === 'forward';
  const head = core.head;
  const spans: Span[] = [];
  for (const segment of forward ? core.segments : core.segments.toReversed()) {
    const from = Math.max(segment.first, core.trimmedThrough + 1, forward ? (options.after?.position ?? 0) + 1 : 1);
    const before = forward ? Number.POSITIVE_INFINITY : (options.after?.position ?? Number.POSITIVE_INFINITY);
    const through = Math.min(segment.last, head, before - 1);
    if (through >= from && overlapsTime(segment, query)) spans.push({ segment, from, through });
  }
  for (let at = 0, atOnce = 1; at < spans.length; at += atOnce, atOnce = Math.min(SEGMENTS_AT_ONCE_MAX, atOnce * 2)) {
    const some = spans.slice(at, at + atOnce);
    const selections = await Promise.all(some.map((span) => search.select(span)));
    for (const [index, span] of some.entries()) {
      const outcome = await search.inSegment(span, selections[index]!);
      if (outcome !== 'exhausted') return search.result(outcome === 'limit');
    }
  }
  return { records: search.records, complete: true };
}

/** A segment and the positions in it that are asked for. */
interface Span {
  readonly segment: Segment;
  readonly from: number;
  readonly through: number;
}

class Search {
  readonly records: Recorded[] = [];
  readonly #core: LogCore;
  readonly #matches: (record: Recorded) => boolean;
  readonly #narrowing: Narrowing;
  readonly #options: FindOptions;
  readonly #deadlineMs: number;
  #hasRead = false;
  /** The last position that was looked at. */
  #reached: Place | undefined;

  constructor(core: LogCore, query: EventQuery, options: FindOptions, deadlineMs: number) {
    this.#core = core;
    this.#matches = compileQuery(query);
    this.#narrowing = narrowQuery(query);
    this.#options = options;
    this.#deadlineMs = deadlineMs;
    this.#reached = options.after;
  }

  result(complete: boolean): FindResult {
    const { records } = this;
    return this.#reached === undefined ? { records, complete } : { records, next: this.#reached, complete };
  }

  /** The ordinals of a segment that may match, in the order of the search. */
  async select({ segment, from, through }: Span): Promise<Uint32Array> {
    const first = await segment.index.ordinalAt(from);
    const last = (await segment.index.ordinalAt(through + 1)) - 1;
    const selected = await segment.index.select(this.#narrowing, first, last);
    return this.#options.direction === 'backward' ? selected.reverse() : selected;
  }

  /** Reads what was selected, as far as the page and the budget go. */
  async inSegment({ segment, from, through }: Span, selected: Uint32Array): Promise<'exhausted' | 'limit' | 'budget'> {
    for (let at = 0; at < selected.length; ) {
      const wanted = this.#options.limit - this.records.length;
      if (wanted <= 0) return 'limit';
      // The first page is read whatever it costs, so that every answer is nearer to the end than the one before.
      if (this.#hasRead && this.#isOverBudget()) return 'budget';
      this.#hasRead = true;
      const ordinals = selected.subarray(at, at + Math.min(READ_AT_ONCE, wanted));
      await this.#readAndMatch(segment, ordinals);
      at += ordinals.length;
    }
    this.#reached = { partition: 0, position: this.#options.direction === 'forward' ? through : from };
    if (this.records.length >= this.#options.limit) return 'limit';
    return this.#isOverBudget() ? 'budget' : 'exhausted';
  }

  async #readAndMatch(segment: Segment, ordinals: Uint32Array): Promise<void> {
    const reads = Array.from(ordinals, async (ordinal) => {
      const position = await segment.index.positionOf(ordinal);
      return { position, record: await readKnown(this.#core, { segment, ordinal, position }) };
    });
    for (const { position, record } of await Promise.all(reads)) {
      if (record !== undefined && this.#matches(record)) this.records.push(record);
      this.#reached = { partition: 0, position };
    }
  }

  #isOverBudget(): boolean {
    return this.#core.folder.runtime.clock.monotonicMs() >= this.#deadlineMs;
  }
}

function overlapsTime({ index }: Segment, { fromMs, toMs }: EventQuery): boolean {
  if (index.count === 0) return false;
  return (fromMs === undefined || index.lastAtMs >= fromMs) && (toMs === undefined || index.firstAtMs < toMs);
}
