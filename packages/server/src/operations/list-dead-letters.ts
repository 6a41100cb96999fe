import { type DeadLetter, EventManagerError, type Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** A letter holds its event: a hundred of the largest are 25 MiB. */
const LIMIT_MAX = 100;

export interface DeadLettersFound {
  readonly letters: readonly DeadLetter[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** The dead letters of one subscription, oldest position first. Throws `subscription_not_found`, `invalid_query`. */
export async function listDeadLetters(
  context: OperationContext,
  principal: Principal,
  subscriptionId: string,
  page: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): Promise<DeadLettersFound> {
  const { limit = LIMIT_MAX, cursor } = page;
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} dead letters.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  context.engine.subscriptions.get(principal, subscriptionId);
  const after = cursor === undefined ? undefined : `${subscriptionId}/${readCursor(cursor)}`;
  const { letters, next } = await context.engine.deadLetterPage(principal, { subscriptionId, after, limit });
  if (next === undefined) return { letters };
  return { letters, nextCursor: Buffer.from(next.slice(subscriptionId.length + 1)).toString('base64url') };
}

/** The rest of a letter's key: partition, position and round. */
function readCursor(cursor: string): string {
  const text = cursor.length > 200 ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
  if (/^\d+\/\d{16}\/\d+$/.test(text)) return text;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}
