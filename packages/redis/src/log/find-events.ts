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
import { toRecords } from './record.ts';

/** Of one script; each that finds little lets the next look at twice as many. */
const FIRST_COUNT = 64;
const COUNT_MAX = 1_024;
/** What one script answered with at most before the next looks at fewer. */
const BYTES_MAX = 4 << 20;

/** Both ends are inside; empty when `first` is behind `head`. */
interface PositionRange {
  readonly first: Position;
  readonly head: Position;
}

/**
 * `EventStore.find`: goes through the log in the asked direction and matches here, between two scripts the budget is looked at.
 * There is no index but that of time, which ascends with position: what the server would keep for one of each
 * field is as much memory again as the events themselves, and everything here is in memory.
 */
export async function findEvents(core: LogCore, query: EventQuery, options: FindOptions): Promise<FindResult> {
  const deadlineMs = core.runtime.clock.monotonicMs() + options.budgetMs;
  const matches = compileQuery(query);
  const { first, head } = await rangeOf(core, query);
  const isForward = options.direction === 'forward';
  const end = isForward ? head : first;
  const after = options.after?.position;
  let reached = isForward ? Math.max(after ?? 0, first - 1) : Math.min(after ?? head + 1, head + 1);
  let count = FIRST_COUNT;
  const records: Recorded[] = [];
  const result = (complete: boolean) => ({ records, next: { partition: 0, position: reached }, complete });

  for (let hasLooked = false; isForward ? reached < end : reached > end; hasLooked = true) {
    if (records.length >= options.limit) return result(true);
    // The first script is asked whatever it costs, so that every answer is nearer to the end than the one before.
    if (hasLooked && core.runtime.clock.monotonicMs() >= deadlineMs) return result(false);
    const [from, through] = isForward ? [reached + 1, end] : [end, reached - 1];
    const scanned = await scan(core, { from, through, count, isForward });
    for (const record of scanned) {
      if (records.length >= options.limit) return result(true);
      reached = record.place.position;
      if (matches(record)) records.push(record);
    }
    if (scanned.length < count) return { records, complete: true };
    const bytes = scanned.reduce((sum, { body }) => sum + body.length, 0);
    count = bytes > BYTES_MAX ? FIRST_COUNT : Math.min(COUNT_MAX, 2 * count);
  }
  return { records, complete: true };
}

async function scan(
  { connection }: LogCore,
  { from, through, count, isForward }: { from: Position; through: Position; count: number; isForward: boolean },
): Promise<readonly Recorded[]> {
  const reply = await connection.ask(SCAN_EVENTS, from, through, count, isForward ? '0' : '1');
  return toRecords(reply as readonly Reply[]);
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
