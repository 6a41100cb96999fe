import { type BlockedKey, EventManagerError, type KeysRequest, type Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const CURSOR_CHARACTERS_MAX = 4_096;

export interface KeysFound {
  readonly keys: readonly BlockedKey[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export interface ListKeysInput {
  readonly subscriptionId: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly state?: KeysRequest['state'];
}

/**
 * A page of the keys of an ordered subscription whose later events wait, by key. Throws `subscription_not_found`,
 * `invalid_query`, `invalid_cursor`.
 */
export async function listKeys(
  { engine }: OperationContext,
  principal: Principal,
  { subscriptionId, limit = LIMIT_DEFAULT, cursor, state }: ListKeysInput,
): Promise<KeysFound> {
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} keys.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const after = cursor === undefined ? undefined : keyOfCursor(cursor);
  const { keys, next } = await engine.subscriptions.keys.page(principal, { subscriptionId, after, limit, state });
  return next === undefined ? { keys } : { keys, nextCursor: Buffer.from(next).toString('base64url') };
}

/** Keys are any text, so all that can be said of one is that it comes back as it went, and that no event holds a NUL. */
function keyOfCursor(cursor: string): string {
  const key = cursor.length > CURSOR_CHARACTERS_MAX ? '' : Buffer.from(cursor, 'base64url').toString();
  if (key !== '' && !key.includes('\0') && Buffer.from(key).toString('base64url') === cursor) return key;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}
