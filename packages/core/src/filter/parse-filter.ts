import { EventManagerError } from '../errors/event-manager-error.ts';
import { type EventPriority, parsePriority } from '../event/priority.ts';
import { checkJson } from '../json/check-json.ts';
import { jsonPointer } from '../json/json-pointer.ts';
import { type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { parsePattern } from '../topic/pattern.ts';
import { FILTER_FIELDS, looksLikeOperator } from './aliases.ts';
import type { Filter, ValueFilter } from './filter.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads a filter in any spelling and returns its one stored form, which shares nothing with the input. Throws
 * `invalid_filter`, `invalid_pattern` and `too_deep`, and `not_supported` for what later versions will understand; each
 * with `details.pointer`.
 */
export function parseFilter(input: unknown, limits: Limits, pointer: string): Filter {
  const fields = readFields(input, FILTER_FIELDS, { code: 'invalid_filter', pointer });
  const budget = { left: limits.filterEntriesMax, limits };
  const filter: Writable<Filter> = {};
  if (has(fields, 'types')) filter.types = readPatterns(fields, 'types', budget, 'some');
  if (has(fields, 'sources')) filter.sources = readTexts(fields, 'sources', budget, 'some');
  if (has(fields, 'priority')) filter.priority = readPriorities(fields.get('priority'), fields.pointer('priority'));
  if (has(fields, 'metadata')) filter.metadata = readValues(fields, 'metadata', budget);
  if (has(fields, 'payload')) filter.payload = readValues(fields, 'payload', budget);
  if (has(fields, 'tags')) filter.tags = readTexts(fields, 'tags', budget, 'any');
  if (has(fields, 'includeTypes')) filter.includeTypes = readPatterns(fields, 'includeTypes', budget, 'some');
  if (has(fields, 'excludeTypes')) filter.excludeTypes = readPatterns(fields, 'excludeTypes', budget, 'any');
  return filter;
}

/** How much the filter may still hold: every list entry and every JSON value counts. */
interface Budget {
  left: number;
  readonly limits: Limits;
}

function spend(budget: Budget, entries: number, pointer: string): void {
  budget.left -= entries;
  if (budget.left >= 0) return;
  const maximum = budget.limits.filterEntriesMax;
  const message = `A filter holds at most ${maximum} values.`;
  throw new EventManagerError('invalid_filter', message, { pointer, limit: 'filterEntriesMax', maximum });
}

function has(fields: ReadFields, name: string): boolean {
  return fields.get(name) !== undefined;
}

/** An empty list of alternatives would match nothing, which nobody means; leaving the field out is the way to say "all". */
function readTexts(fields: ReadFields, name: string, budget: Budget, atLeast: 'some' | 'any'): readonly string[] {
  const value = fields.get(name);
  const pointer = fields.pointer(name);
  if (!Array.isArray(value)) throw invalid('A list of texts is expected.', pointer);
  if (value.length === 0 && atLeast === 'some') throw invalid('An empty list would match nothing.', pointer);
  spend(budget, value.length, pointer);
  return value.map((text, index) => {
    const isUsable = typeof text === 'string' && text !== '' && text.length <= budget.limits.nameCharactersMax;
    if (isUsable && text.isWellFormed() && !text.includes('\0')) return text;
    const message = `A text of 1 to ${budget.limits.nameCharactersMax} characters is expected.`;
    throw invalid(message, jsonPointer(pointer, index));
  });
}

function readPatterns(fields: ReadFields, name: string, budget: Budget, atLeast: 'some' | 'any'): readonly string[] {
  const texts = readTexts(fields, name, budget, atLeast);
  for (let index = 0; index < texts.length; index++) {
    parsePattern(texts[index]!, budget.limits, jsonPointer(fields.pointer(name), index));
  }
  return texts;
}

function readPriorities(value: unknown, pointer: string): EventPriority | readonly EventPriority[] {
  if (!Array.isArray(value)) return readPriority(value, pointer);
  if (value.length === 0) throw invalid('An empty list would match nothing.', pointer);
  if (value.length > 4) throw invalid('There are four priorities.', pointer);
  return [...new Set(value.map((entry, index) => readPriority(entry, jsonPointer(pointer, index))))].sort();
}

function readPriority(value: unknown, pointer: string): EventPriority {
  const priority = parsePriority(value);
  if (priority !== undefined) return priority;
  throw invalid('A priority is CRITICAL, HIGH, NORMAL, LOW or a number from 0 to 3.', pointer);
}

function readValues(fields: ReadFields, name: string, budget: Budget): ValueFilter {
  const value = fields.get(name);
  const pointer = fields.pointer(name);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('An object is expected.', pointer);
  if (looksLikeAlternatives(value)) throw operatorsLater(pointer);
  checkJson(value, { depthMax: budget.limits.depthMax, pointer, code: 'invalid_filter' });
  // Written and read back: a copy of its own, with dates as the text they are compared by.
  const copy = JSON.parse(JSON.stringify(value)) as ValueFilter;
  spend(budget, countValues(copy), pointer);
  for (const [key, wanted] of Object.entries(copy)) {
    const place = jsonPointer(pointer, key);
    if (Array.isArray(wanted) && wanted.length === 0) throw invalid('An empty list would match nothing.', place);
    const choices: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    if (choices.some(looksLikeOperator)) throw operatorsLater(place);
  }
  return copy;
}

/** `{or: [{…}, {…}]}` in place of the fields themselves. */
function looksLikeAlternatives(value: object): boolean {
  return Object.entries(value).some(([key, entry]) => key === '$or' || (key === 'or' && isListOfObjects(entry)));
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.some((entry) => typeof entry === 'object' && entry !== null);
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((count: number, entry) => count + countValues(entry), 1);
}

function operatorsLater(pointer: string): EventManagerError {
  const message = 'Operators are not supported yet; give the values themselves.';
  return new EventManagerError('not_supported', message, { pointer });
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_filter', message, { pointer });
}
