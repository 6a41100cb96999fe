import { type EventPriority, parsePriority } from '../event/priority.ts';
import { checkJson } from '../json/check-json.ts';
import { jsonPointer } from '../json/json-pointer.ts';
import { type FieldTable, type ReadFields, readFields } from '../json/read-fields.ts';
import type { JsonValue } from '../json.ts';
import type { Limits } from '../limits.ts';
import { parsePattern } from '../topic/pattern.ts';
import { ALTERNATIVE_FIELDS, FILTER_FIELDS } from './aliases.ts';
import type { Filter, FilterAlternative, FilterClauses, TextMatcher, ValueFilter } from './filter.ts';
import { FilterBudget, invalidFilter } from './filter-budget.ts';
import { readTextOperators, readWanted } from './parse-matcher.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Alternatives may have alternatives; more has never been needed, since clauses beside an `or` are ANDed. */
const OR_DEPTH_MAX = 2;

/** Words of other filters that stand where paths stand; as the name of a field nobody has seen them. */
const LOGICAL: ReadonlySet<string> = new Set(['$and', '$nor', '$not', '$expr', '$where', '$text']);

const FLAGS = [
  'userRelevant',
  'projectScoped',
  'sessionScoped',
  'excludeSystemEvents',
  'excludeSystemHeartbeat',
] as const;

/** What a filter may say of the pace of deliveries, which is an option of the subscription. */
export interface PaceInFilter {
  /** Each as it was given, with its place. */
  readonly [option: string]: { readonly value: unknown; readonly pointer: string };
}

/**
 * Reads a filter in any spelling and returns its one stored form, which shares nothing with the input. Throws
 * `invalid_filter`, `invalid_pattern` and `too_deep`, each with `details.pointer`.
 */
export function parseFilter(input: unknown, limits: Limits, pointer: string): Filter {
  const { filter, pace } = readFilter(input, limits, pointer);
  const [first] = Object.values(pace);
  if (first === undefined) return filter;
  throw invalidFilter('The pace is an option of a subscription; nothing else has one.', first.pointer);
}

/** As `parseFilter`, with what the filter of a subscription may say of the pace. */
export function readFilter(input: unknown, limits: Limits, pointer: string): { filter: Filter; pace: PaceInFilter } {
  const budget = new FilterBudget(limits);
  const fields = fieldsOf(input, FILTER_FIELDS, pointer);
  const filter: Writable<Filter> = readClauses(fields, budget);
  if (has(fields, 'or')) filter.or = readAlternatives(fields, budget, OR_DEPTH_MAX);
  if (readFlag(fields, 'criticalAlways')) filter.criticalAlways = true;
  budget.assertSize(filter, pointer);
  const given = ['rateLimitPerMinute', 'smartBatching'].filter((name) => has(fields, name));
  const pace = given.map((name) => [name, { value: fields.get(name), pointer: fields.pointer(name) }] as const);
  return { filter, pace: Object.fromEntries(pace) };
}

function fieldsOf(input: unknown, table: FieldTable, pointer: string): ReadFields {
  return readFields(input, table, { code: 'invalid_filter', pointer });
}

function readClauses(fields: ReadFields, budget: FilterBudget): Writable<FilterClauses> {
  const filter: Writable<FilterClauses> = {};
  if (has(fields, 'types')) filter.types = readPatterns(fields, 'types', budget, 'some');
  if (has(fields, 'sources')) filter.sources = readTexts(fields, 'sources', budget, 'some');
  if (has(fields, 'topics')) filter.topics = readPatterns(fields, 'topics', budget, 'some');
  if (has(fields, 'priority')) filter.priority = readPriorities(fields.get('priority'), fields.pointer('priority'));
  if (has(fields, 'metadata')) filter.metadata = readValues(fields, 'metadata', budget);
  if (has(fields, 'payload')) filter.payload = readValues(fields, 'payload', budget);
  if (has(fields, 'tags')) filter.tags = readTexts(fields, 'tags', budget, 'any');
  if (has(fields, 'includeTypes')) filter.includeTypes = readPatterns(fields, 'includeTypes', budget, 'some');
  if (has(fields, 'excludeTypes')) filter.excludeTypes = readPatterns(fields, 'excludeTypes', budget, 'any');
  for (const name of FLAGS) if (readFlag(fields, name)) filter[name] = true;
  return filter;
}

function readAlternatives(fields: ReadFields, budget: FilterBudget, depthLeft: number): readonly FilterAlternative[] {
  const value = fields.get('or');
  const pointer = fields.pointer('or');
  if (depthLeft === 0) throw invalidFilter(`Alternatives are nested ${OR_DEPTH_MAX} deep at most.`, pointer);
  if (!Array.isArray(value)) throw invalidFilter('A list of filters is expected.', pointer);
  if (value.length === 0) throw invalidFilter('An empty list would match nothing.', pointer);
  budget.spend(value.length, pointer);
  return value.map((input: unknown, index) => {
    const inner = fieldsOf(input, ALTERNATIVE_FIELDS, jsonPointer(pointer, index));
    const alternative: Writable<FilterAlternative> = readClauses(inner, budget);
    if (has(inner, 'or')) alternative.or = readAlternatives(inner, budget, depthLeft - 1);
    return alternative;
  });
}

function has(fields: ReadFields, name: string): boolean {
  return fields.get(name) !== undefined;
}

/** `false` says the same as saying nothing. */
function readFlag(fields: ReadFields, name: string): boolean {
  const value = fields.get(name);
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw invalidFilter('true or false is expected.', fields.pointer(name));
}

/** An empty list of alternatives would match nothing, which nobody means; leaving the field out is the way to say "all". */
function readMatchers(
  fields: ReadFields,
  name: string,
  budget: FilterBudget,
  atLeast: 'some' | 'any',
  readText: (text: unknown, pointer: string) => string,
): readonly TextMatcher[] {
  const value = fields.get(name);
  const pointer = fields.pointer(name);
  if (!Array.isArray(value)) throw invalidFilter('A list of texts or operators is expected.', pointer);
  if (value.length === 0 && atLeast === 'some') throw invalidFilter('An empty list would match nothing.', pointer);
  return value.map((matcher: unknown, index) => {
    const place = jsonPointer(pointer, index);
    budget.spend(1, pointer);
    if (typeof matcher !== 'object' || matcher === null || Array.isArray(matcher)) return readText(matcher, place);
    checkJson(matcher, { depthMax: budget.limits.depthMax, pointer: place, code: 'invalid_filter' });
    budget.spend(countValues(matcher) - 1, pointer);
    return readTextOperators(matcher, place, { budget, readText, boundsWildcards: name === 'tags' }) as TextMatcher;
  });
}

function readTexts(
  fields: ReadFields,
  name: string,
  budget: FilterBudget,
  atLeast: 'some' | 'any',
): readonly TextMatcher[] {
  return readMatchers(fields, name, budget, atLeast, (text, pointer) => readText(text, pointer, budget));
}

function readPatterns(
  fields: ReadFields,
  name: string,
  budget: FilterBudget,
  atLeast: 'some' | 'any',
): readonly TextMatcher[] {
  return readMatchers(fields, name, budget, atLeast, (text, pointer) => {
    return parsePattern(readText(text, pointer, budget), budget.limits, pointer).text;
  });
}

function readText(text: unknown, pointer: string, { limits }: FilterBudget): string {
  const isUsable = typeof text === 'string' && text !== '' && text.length <= limits.nameCharactersMax;
  if (isUsable && text.isWellFormed() && !text.includes('\0')) return text;
  throw invalidFilter(`A text of 1 to ${limits.nameCharactersMax} characters is expected.`, pointer);
}

function readPriorities(value: unknown, pointer: string): EventPriority | readonly EventPriority[] {
  if (!Array.isArray(value)) return readPriority(value, pointer);
  if (value.length === 0) throw invalidFilter('An empty list would match nothing.', pointer);
  if (value.length > 4) throw invalidFilter('There are four priorities.', pointer);
  return [...new Set(value.map((entry, index) => readPriority(entry, jsonPointer(pointer, index))))].sort();
}

function readPriority(value: unknown, pointer: string): EventPriority {
  const priority = parsePriority(value);
  if (priority !== undefined) return priority;
  throw invalidFilter('A priority is CRITICAL, HIGH, NORMAL, LOW or a number from 0 to 3.', pointer);
}

function readValues(fields: ReadFields, name: string, budget: FilterBudget): ValueFilter {
  const value = fields.get(name);
  const pointer = fields.pointer(name);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidFilter('An object is expected.', pointer);
  const logical = Object.keys(value).find((key) => LOGICAL.has(key));
  if (logical !== undefined) {
    const words = `There is no ${logical}: paths beside each other all have to agree, and \`or\` stands beside this field.`;
    throw invalidFilter(words, jsonPointer(pointer, logical));
  }
  const alternatives = Object.entries(value).find(isAlternatives);
  if (alternatives) {
    throw invalidFilter(
      'Alternatives are whole filters: `or` stands beside this field.',
      jsonPointer(pointer, alternatives[0]),
    );
  }
  checkJson(value, { depthMax: budget.limits.depthMax, pointer, code: 'invalid_filter' });
  // Written and read back: a copy of its own, with dates as the text they are compared by.
  const copy = JSON.parse(JSON.stringify(value)) as Readonly<Record<string, JsonValue>>;
  budget.spend(countValues(copy), pointer);
  return Object.fromEntries(
    Object.entries(copy).map(([key, wanted]) => [key, readWanted(wanted, jsonPointer(pointer, key), budget)]),
  );
}

/** `{or: [{…}, {…}]}` in place of the fields themselves. */
function isAlternatives([key, entry]: [string, unknown]): boolean {
  return key === '$or' || (key === 'or' && isListOfObjects(entry));
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.some((entry) => typeof entry === 'object' && entry !== null);
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((count: number, entry) => count + countValues(entry), 1);
}
