import {
  compileQuery,
  type EventQuery,
  type FindOptions,
  type FindResult,
  type Position,
  type Recorded,
} from '@event-manager/core';
import type { Reply } from '../connect/connection.ts';
import { POSITIONS_SINCE, SCAN_EVENTS } from '../lua/scan-events.ts';
import type { LogCore } from './log-core.ts';
import { measureLog } from './measure-log.ts';
import { narrowQuery } from './narrow-query.ts';
import { toRecords } from './record.ts';

/** Of one script; each that finds little lets the next look at twice as many. */
const FIRST_COUNT = 64;
const COUNT_MAX = 512;
const MARKS = 3;

/** Both ends are inside; empty when `first` is behind `head`. */
interface PositionRange {
  readonly first: Position;
  readonly head: Position;
}

/**
 * `EventStore.find`: goes through the log in the asked direction. What the server can tell by itself it is asked for, so that
 * only what may match comes over; that is matched again here. Between two scripts the budget is looked at.
 *
 * There is an index of flows, and time ascends with position. One of each other field would be as much memory again as the
 * events themselves.
 */
export async function findEvents(core: LogCore, query: EventQuery, options: FindOptions): Promise<FindResult> {
  const { clock } = core.runtime;
  const deadlineMs = clock.monotonicMs() + options.budgetMs;
  const matches = compileQuery(query);
  const narrowing = narrowQuery(query);
  const { first, head } = await rangeOf(core, query);
  const isForward = options.direction === 'forward';
  const end = isForward ? head : first;
  const after = options.after?.position;
  let reached = isForward ? Math.max(after ?? 0, first - 1) : Math.min(after ?? head + 1, head + 1);
  let count = FIRST_COUNT;
  const records: Recorded[] = [];
  const result = (complete: boolean) => ({ records, next: { partition: 0, position: reached }, complete });

  for (let hasLooked = false; isForward ? reached < end : reached > end; hasLooked = true) {
    const wanted = options.limit - records.length;
    if (wanted <= 0) return result(true);
    // The first script is asked whatever it costs, so that every answer is nearer to the end than the one before.
    if (hasLooked && clock.monotonicMs() >= deadlineMs) return result(false);
    const [from, through] = isForward ? [reached + 1, end] : [end, reached - 1];
    const values = [from, through, count, wanted, isForward ? '0' : '1', ...narrowing];
    const reply = (await core.connection.ask(SCAN_EVENTS, ...values)) as readonly Reply[];
    const [position, looked] = reply as readonly number[] as [number, number];
    records.push(...toRecords(reply.slice(MARKS)).filter(matches));
    reached = position;
    // It also ends earlier when events are large.
    count = looked < count ? FIRST_COUNT : Math.min(COUNT_MAX, 2 * count);
  }
  return { records, complete: true };
}

/** Where in the log the time of the query lies. */
async function rangeOf(core: LogCore, { fromMs, toMs }: EventQuery): Promise<PositionRange> {
  const [bounds] = await measureLog(core);
  const { first, head } = bounds!;
  if (fromMs === undefined && toMs === undefined) return { first, head };
  const times = [Math.ceil(fromMs ?? 0), Math.ceil(toMs ?? Number.MAX_SAFE_INTEGER)];
  const [from, behind] = (await core.connection.ask(POSITIONS_SINCE, ...times)) as [number, number];
  return { first: Math.max(first, from), head: Math.min(head, behind - 1) };
}
