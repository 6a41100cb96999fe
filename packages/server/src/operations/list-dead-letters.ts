import { type DeadLetter, EventManagerError, type Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** A letter holds its event: a hundred of the largest are 25 MiB. */
const LIMIT_MAX = 100;
/** A letter's key: subscription, partition, position, round. A cursor is the key of the last one shown. */
const KEY = /^[0-9a-f-]{36}\/\d{1,10}\/\d{16}\/\d{1,10}$/;

export interface DeadLettersPage {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly state?: DeadLetter['state'] | undefined;
}

export interface DeadLettersFound {
  readonly letters: readonly DeadLetter[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/**
 * The dead letters of all subscriptions, or of one, also of one that is not there any more; by subscription, oldest position
 * first. Throws `invalid_query`, `invalid_cursor`.
 */
export async function listDeadLetters(
  context: OperationContext,
  principal: Principal,
  request: DeadLettersPage & { readonly subscriptionId?: string | undefined },
): Promise<DeadLettersFound> {
  const { subscriptionId, limit = LIMIT_MAX, cursor, state } = request;
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} dead letters.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const { letters, next } = await context.engine.deadLetters.page(principal, { subscriptionId, after, limit, state });
  return next === undefined ? { letters } : { letters, nextCursor: Buffer.from(next).toString('base64url') };
}

/** The dead letters of a subscription that exists. Throws also `subscription_not_found`. */
export async function listDeadLettersOf(
  context: OperationContext,
  principal: Principal,
  subscriptionId: string,
  page: DeadLettersPage,
): Promise<DeadLettersFound> {
  context.engine.subscriptions.get(principal, subscriptionId);
  return listDeadLetters(context, principal, { ...page, subscriptionId });
}

function readCursor(cursor: string): string {
  const text = cursor.length > 200 ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
  if (KEY.test(text)) return text;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}
