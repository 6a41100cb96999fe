import { EventManagerError, type Principal, type ProjectionInfo } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const CURSOR_CHARACTERS_MAX = 2_048;

export interface PageRequest {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Projections that are kept, by name. Throws `invalid_query`, `invalid_cursor`. */
export async function listProjections(
  { engine }: OperationContext,
  principal: Principal,
  request: PageRequest,
): Promise<{ readonly projections: readonly ProjectionInfo[]; readonly nextCursor?: string }> {
  const { projections, next } = await engine.projections.kept.page(principal, readPage(request));
  return next === undefined ? { projections } : { projections, nextCursor: cursorOf(next) };
}

/** Keys of a projection that have a state. Throws `projection_not_found`, `invalid_query`, `invalid_cursor`. */
export async function listProjectionKeys(
  { engine }: OperationContext,
  principal: Principal,
  name: string,
  request: PageRequest,
): Promise<{ readonly keys: readonly string[]; readonly nextCursor?: string }> {
  const { names: keys, next } = await engine.projections.kept.keys(principal, name, readPage(request));
  return next === undefined ? { keys } : { keys, nextCursor: cursorOf(next) };
}

function readPage({ limit = LIMIT_DEFAULT, cursor }: PageRequest): { after?: string; limit: number } {
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} entries.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  return cursor === undefined ? { limit } : { limit, after: textOf(cursor) };
}

function cursorOf(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Keys are any text, so all that can be said of one is that it comes back as it went, and that none holds a NUL. */
function textOf(cursor: string): string {
  const text = cursor.length > CURSOR_CHARACTERS_MAX ? '' : Buffer.from(cursor, 'base64url').toString();
  if (text !== '' && !text.includes('\0') && cursorOf(text) === cursor) return text;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}
