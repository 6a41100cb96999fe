import { EventManagerError, type Principal, type SubscriberContext } from '@event-manager/core';
import { cursorOfName, nameOfCursor } from './name-cursor.ts';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
/** A context may hold a thousand ids: the page ends early instead and is continued by its cursor. */
const PAGE_CHARACTERS_MAX = 4 * 1024 * 1024;

export interface ContextsFound {
  readonly contexts: readonly SubscriberContext[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** A page of the registered contexts, by the names of their subscribers. Throws `invalid_query`, `invalid_cursor`. */
export function listContexts(
  { engine }: OperationContext,
  principal: Principal,
  page: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): ContextsFound {
  const { limit = LIMIT_DEFAULT, cursor } = page;
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} contexts.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const after = cursor === undefined ? undefined : nameOfCursor(cursor);
  const { contexts, next } = engine.contexts.page(principal, { after, limit });
  const fitting = contexts.slice(0, countFitting(contexts));
  const last = fitting.length < contexts.length ? fitting.at(-1)!.subscriber : next;
  return last === undefined ? { contexts } : { contexts: fitting, nextCursor: cursorOfName(last) };
}

/** So many fit on the page, at least one. */
function countFitting(contexts: readonly SubscriberContext[]): number {
  let characters = 0;
  for (const [at, context] of contexts.entries()) {
    characters += JSON.stringify(context).length;
    if (characters > PAGE_CHARACTERS_MAX) return Math.max(1, at);
  }
  return contexts.length;
}
