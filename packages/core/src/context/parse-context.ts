import type { ErrorCode } from '../errors/codes.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { jsonPointer } from '../json/json-pointer.ts';
import { fieldTable, type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import type { RelevanceContext } from './context.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Of all ids together, as of a filter: all contexts are in memory, and a thousand of the longest ids each took 300 MB. */
const CHARACTERS_MAX = 65_536;

/** Every spelling of a context's fields, in camelCase (snake_case is understood everywhere). */
export const CONTEXT_FIELDS = fieldTable(['userIds', 'projectIds', 'sessionIds'], {
  userId: 'userIds',
  users: 'userIds',
  projectId: 'projectIds',
  projects: 'projectIds',
  sessionId: 'sessionIds',
  sessions: 'sessionIds',
});

/**
 * Reads a context in any spelling into its one stored form: three lists without repetition, in order. `undefined` when it says
 * nothing at all. Throws `code` with `details.pointer`.
 */
export function parseContext(
  input: unknown,
  limits: Limits,
  { pointer, code }: { pointer: string; code: ErrorCode },
): RelevanceContext | undefined {
  const fields = readFields(input, CONTEXT_FIELDS, { code, pointer });
  const names = ['userIds', 'projectIds', 'sessionIds'] as const;
  const lists = names.map((name) => readIds(fields, name, limits, code));
  if (lists.every((list) => list === undefined)) return undefined;
  const [userIds = [], projectIds = [], sessionIds = []] = lists;
  const maximum = limits.contextEntriesMax;
  if (userIds.length + projectIds.length + sessionIds.length > maximum) {
    const words = `A context holds at most ${maximum} ids.`;
    throw new EventManagerError(code, words, { pointer, limit: 'contextEntriesMax', maximum });
  }
  const characters = [...userIds, ...projectIds, ...sessionIds].reduce((sum, id) => sum + id.length, 0);
  if (characters > CHARACTERS_MAX) {
    const words = `The ids of a context have at most ${CHARACTERS_MAX} characters together.`;
    throw new EventManagerError(code, words, { pointer, maximum: CHARACTERS_MAX });
  }
  const [users, projects, sessions] = [userIds, projectIds, sessionIds].map((ids) => [...new Set(ids)].sort());
  return { userIds: users!, projectIds: projects!, sessionIds: sessions! };
}

/** The name under which a context is registered. Throws `invalid_context`. */
export function readSubscriber(subscriber: unknown, limits: Limits): string {
  const maximum = limits.nameCharactersMax;
  // An address cannot name the two: they mean this place and the one above.
  if (isName(subscriber, maximum) && subscriber !== '.' && subscriber !== '..') return subscriber;
  const words = `A subscriber is a text of 1 to ${maximum} characters without control characters, and no dots alone.`;
  throw new EventManagerError('invalid_context', words, { pointer: '/subscriber' });
}

function readIds(fields: ReadFields, name: string, limits: Limits, code: ErrorCode): readonly string[] | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  const pointer = fields.pointer(name);
  if (!Array.isArray(value)) throw new EventManagerError(code, 'A list of ids is expected.', { pointer });
  const maximum = limits.nameCharactersMax;
  const wrong = value.findIndex((id: unknown) => !isText(id, maximum));
  if (wrong < 0) return value as string[];
  const words = `An id is a text of 1 to ${maximum} characters.`;
  throw new EventManagerError(code, words, { pointer: jsonPointer(pointer, wrong) });
}

function isName(text: unknown, charactersMax: number): text is string {
  return isText(text, charactersMax) && !CONTROL.test(text);
}

function isText(text: unknown, charactersMax: number): text is string {
  const hasLength = typeof text === 'string' && text !== '' && text.length <= charactersMax;
  return hasLength && text.isWellFormed() && !text.includes('\0');
}
