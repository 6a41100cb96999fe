import { EventManagerError, type Principal, type ScheduledEvent } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

const LIMIT_MAX = 1_000;
/** Time and id of the last one shown. */
const KEY = /^\d{16}\/[0-9a-f-]{36}$/;

export interface ScheduledFound {
  readonly scheduled: readonly ScheduledEvent[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Events that wait for their time, the earliest first. Throws `invalid_query`, `invalid_cursor`. */
export async function listScheduled(
  context: OperationContext,
  principal: Principal,
  { limit = LIMIT_MAX, cursor }: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): Promise<ScheduledFound> {
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} scheduled events.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const { scheduled, next } = await context.engine.schedule.page(principal, { after, limit });
  return next === undefined ? { scheduled } : { scheduled, nextCursor: Buffer.from(next).toString('base64url') };
}

function readCursor(cursor: string): string {
  const text = cursor.length > 200 ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
  if (KEY.test(text)) return text;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}
