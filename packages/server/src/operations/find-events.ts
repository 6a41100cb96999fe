import {
  decodeCursor,
  EventManagerError,
  encodeCursor,
  type Place,
  type Principal,
  parseEventQuery,
  type Recorded,
} from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
/** A thousand events of the largest size would be 256 MiB in one answer; the page ends early instead and is continued by its cursor. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024;
const READ_AT_ONCE = 100;

export interface FindEventsInput {
  /** The fields of an event query, in any documented spelling. */
  readonly query: unknown;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly direction?: 'forward' | 'backward' | undefined;
}

export interface EventsFound {
  readonly records: readonly Recorded[];
  /** Absent when nothing more can match. */
  readonly nextCursor?: string;
  /** False when the search was ended by its time budget before the page was full. */
  readonly complete: boolean;
}

/** One page of the stored events that match. Throws `invalid_query`, `invalid_pattern`, `invalid_cursor`. */
export async function findEvents(
  context: OperationContext,
  principal: Principal,
  input: FindEventsInput,
): Promise<EventsFound> {
  const { limit = LIMIT_DEFAULT, direction = 'forward' } = input;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} events.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const query = parseEventQuery(input.query, context.engine.limits);
  let after: Place | undefined = input.cursor === undefined ? undefined : decodeCursor(input.cursor, '/cursor')[0];
  const records: Recorded[] = [];
  let bytes = 0;
  for (;;) {
    const request = { limit: Math.min(limit - records.length, READ_AT_ONCE), direction, after };
    const found = await context.engine.history.find(principal, query, request);
    for (const record of found.records) {
      records.push(record);
      bytes += record.body.length;
      if (bytes >= PAGE_BYTES_MAX) return { records, nextCursor: encodeCursor([record.place]), complete: true };
    }
    after = found.next;
    const next = after === undefined ? {} : { nextCursor: encodeCursor([after]) };
    if (after === undefined || !found.complete || records.length >= limit) {
      return { records, ...next, complete: found.complete };
    }
  }
}
