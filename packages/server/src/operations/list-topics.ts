import { canonicalLevels, EventManagerError, type Principal, type TopicInfo } from '@event-manager/core';
import { cursorOfName, nameOfCursor } from './name-cursor.ts';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
/** A topic may hold a hundred versions of a schema of 64 KiB: the page ends early instead and is continued by its cursor. */
const PAGE_CHARACTERS_MAX = 4 * 1024 * 1024;

export interface TopicsFound {
  readonly topics: readonly TopicInfo[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** A page of the declared topics, by name. Throws `invalid_query`, `invalid_cursor`. */
export function listTopics(
  { engine }: OperationContext,
  principal: Principal,
  page: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): TopicsFound {
  const { limit = LIMIT_DEFAULT, cursor } = page;
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} topics.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const after = cursor === undefined ? undefined : nameOfCursor(cursor);
  const { topics, next } = engine.topics.page(principal, { after, limit });
  const fitting = topics.slice(0, countFitting(topics));
  const last = fitting.length < topics.length ? canonicalLevels(fitting.at(-1)!.topic) : next;
  if (last === undefined) return { topics };
  return { topics: fitting, nextCursor: cursorOfName(last) };
}

/** So many fit on the page, at least one. */
function countFitting(topics: readonly TopicInfo[]): number {
  let characters = 0;
  for (const [at, topic] of topics.entries()) {
    characters += JSON.stringify(topic).length;
    if (characters > PAGE_CHARACTERS_MAX) return Math.max(1, at);
  }
  return topics.length;
}
