import { EventManagerError } from '../errors/event-manager-error.ts';
import { type EventPriority, parsePriority } from '../event/priority.ts';
import { readTimeMs } from '../ingest/read-time.ts';
import { jsonPointer } from '../json/json-pointer.ts';
import { fieldTable, type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { parsePattern } from '../topic/pattern.ts';
import type { EventQuery } from './event-query.ts';

const FIELDS = fieldTable(
  ['topic', 'types', 'sources', 'priorities', 'userId', 'projectId', 'correlationId', 'causationIds', 'from', 'to'],
  {
    type: 'types',
    source: 'sources',
    priority: 'priorities',
    causationId: 'causationIds',
    fromMs: 'from',
    startTime: 'from',
    since: 'from',
    toMs: 'to',
    endTime: 'to',
    until: 'to',
  },
);

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads a query as clients write it: both cases, one value or a list, priorities by name or number, times as `Date`,
 * RFC 3339 text or milliseconds. Throws `invalid_query` and `invalid_pattern` with `details.pointer`.
 */
export function parseEventQuery(input: unknown, limits: Limits): EventQuery {
  const fields = readFields(input, FIELDS, { code: 'invalid_query', pointer: '' });
  const query: Writable<EventQuery> = {};
  const [topic] = readTexts(fields, 'topic', limits.topicCharactersMax, 1);
  if (topic !== undefined) query.topic = parsePattern(topic, limits, fields.pointer('topic')).text;
  const types = readTexts(fields, 'types', limits.topicCharactersMax, limits.filterEntriesMax);
  for (const type of types) parsePattern(type, limits, fields.pointer('types'));
  if (types.length > 0) query.types = types;
  const sources = readTexts(fields, 'sources', limits.nameCharactersMax, limits.filterEntriesMax);
  if (sources.length > 0) query.sources = sources;
  const causes = readTexts(fields, 'causationIds', limits.nameCharactersMax, limits.filterEntriesMax);
  if (causes.length > 0) query.causationIds = causes;
  if (fields.get('priorities') !== undefined) query.priorities = readPriorities(fields);
  for (const name of ['userId', 'projectId', 'correlationId'] as const) {
    const [text] = readTexts(fields, name, limits.nameCharactersMax, 1);
    if (text !== undefined) query[name] = text;
  }
  if (fields.get('from') !== undefined) query.fromMs = readMoment(fields, 'from');
  if (fields.get('to') !== undefined) query.toMs = readMoment(fields, 'to');
  return query;
}

/** A field with one text or a list of texts; empty when it is absent. */
function readTexts(fields: ReadFields, name: string, charactersMax: number, entriesMax: number): readonly string[] {
  const value = fields.get(name);
  if (value === undefined) return [];
  const pointer = fields.pointer(name);
  if (entriesMax === 1 && typeof value !== 'string') throw invalid('A text is expected.', pointer);
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (entries.length === 0) throw invalid('An empty list would match nothing.', pointer);
  if (entries.length > entriesMax) throw invalid(`At most ${entriesMax} values are allowed.`, pointer);
  return entries.map((entry, index) => {
    const isUsable = typeof entry === 'string' && entry !== '' && entry.length <= charactersMax;
    if (isUsable && entry.isWellFormed() && !entry.includes('\0')) return entry;
    const place = Array.isArray(value) ? jsonPointer(pointer, index) : pointer;
    throw invalid(`A text of 1 to ${charactersMax} characters is expected.`, place);
  });
}

function readPriorities(fields: ReadFields): readonly EventPriority[] {
  const value = fields.get('priorities');
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (entries.length === 0 || entries.length > 4) {
    throw invalid('One to four priorities are expected.', fields.pointer('priorities'));
  }
  const priorities = entries.map((entry) => {
    const priority = parsePriority(typeof entry === 'string' && /^[0-3]$/.test(entry) ? Number(entry) : entry);
    if (priority !== undefined) return priority;
    const message = 'A priority is CRITICAL, HIGH, NORMAL, LOW or a number from 0 to 3.';
    throw invalid(message, fields.pointer('priorities'));
  });
  return [...new Set(priorities)].sort();
}

/** Query strings have no numbers, so digits alone are milliseconds here. */
function readMoment(fields: ReadFields, name: 'from' | 'to'): number {
  const value = fields.get(name);
  const moment = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return readTimeMs(moment, fields.pointer(name), 'invalid_query');
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_query', message, { pointer });
}
