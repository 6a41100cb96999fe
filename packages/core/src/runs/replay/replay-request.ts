import { EventManagerError, isEventManagerError } from '../../errors/event-manager-error.ts';
import { readTimeMs } from '../../ingest/read-time.ts';
import { fieldTable, type ReadFields, readFields } from '../../json/read-fields.ts';
import type { JsonObject } from '../../json.ts';
import type { Limits } from '../../limits.ts';
import { decodeCursor } from '../../query/cursor.ts';
import type { EventQuery } from '../../query/event-query.ts';
import { parseEventQuery } from '../../query/parse-query.ts';

const FIELDS = fieldTable(
  [
    ...['from', 'to', 'topic', 'types', 'sources', 'userId', 'projectId', 'correlationId'],
    ...['subscriptions', 'all', 'speed', 'target', 'note', 'dryRun'],
  ],
  {
    ...{ fromTimestamp: 'from', fromTime: 'from', startTime: 'from', since: 'from', cursor: 'from' },
    ...{ toTimestamp: 'to', toTime: 'to', endTime: 'to', until: 'to' },
    ...{ topicPattern: 'topic', pattern: 'topic', type: 'types', source: 'sources' },
    ...{ subscribers: 'subscriptions', subscriberIds: 'subscriptions', subscriptionIds: 'subscriptions' },
    ...{ subscriber: 'subscriptions', subscription: 'subscriptions' },
  },
);
/** What says which events are meant, or whom they go to. Where a range ends says neither. */
const SELECTING = [
  'from',
  'topic',
  'types',
  'sources',
  'userId',
  'projectId',
  'correlationId',
  'subscriptions',
] as const;
const TARGET_FIELDS = fieldTable(['endpoint', 'handler'], { url: 'endpoint' });
const SPEED_FIELDS = fieldTable(['factor']);
const PLACE_FIELDS = fieldTable(['cursor', 'time'], { timestamp: 'time', timeMs: 'time' });

const ENDPOINT = /^https?:\/\/[^\s/?#@\\]+(?:[/?][^#\s]*)?$/;
const NOTE_CHARACTERS_MAX = 1_024;
const SUBSCRIPTIONS_MAX = 1_000;
const PER_SECOND_MIN = 0.001;
const PER_SECOND_MAX = 1_000_000;
const FACTOR_MAX = 1_000_000;
const FACTOR_MIN = 0.001;

/** Where a range of the log begins or ends. */
export type LogPlace = 'earliest' | 'latest' | { readonly timeMs: number } | { readonly cursor: string };

/** How fast: as it was recorded, so many events a second for each subscription, or as fast as live deliveries leave room for. */
export type ReplaySpeed = 'max' | { readonly perSecond: number } | { readonly factor: number };

export interface ReplayTarget {
  readonly endpoint?: string;
  /** A function of the process that asked. */
  readonly handler?: unknown;
}

/** A replay as it is understood. */
export interface ReplayRequest {
  readonly from: LogPlace;
  readonly to: LogPlace;
  /** Which events of the range; its times are not used. */
  readonly query: EventQuery;
  /** Ids or names of subscriptions, or of the services that own them; absent for every one that matches. */
  readonly subscriptions?: readonly string[];
  readonly speed: ReplaySpeed;
  readonly target?: ReplayTarget;
  readonly note?: string;
  readonly dryRun: boolean;
}

/** Reads a request in any documented spelling. Throws `invalid_run`, `invalid_query`, `invalid_pattern` and `invalid_cursor`. */
export function parseReplay(input: unknown, limits: Limits): ReplayRequest {
  const fields = readFields(input, FIELDS, { code: 'invalid_run', pointer: '' });
  const subscriptions = readSubscriptions(fields);
  const target = readTarget(fields, limits);
  const note = readNote(fields);
  const dryRun = readFlag(fields, 'dryRun');
  const from = readPlace(fields, 'from', 'earliest');
  const to = readPlace(fields, 'to', 'latest');
  assertForward(from, to, fields);
  assertMeant(fields);
  return {
    ...{ from, to },
    query: readQuery(fields, limits),
    ...(subscriptions ? { subscriptions } : {}),
    speed: readSpeed(fields),
    ...(target ? { target } : {}),
    ...(note === undefined ? {} : { note }),
    dryRun,
  };
}

/** An empty request is more often a slip than the wish to send everything that is kept to everybody. */
function assertMeant(fields: ReadFields): void {
  if (readFlag(fields, 'all') || SELECTING.some((name) => fields.get(name) !== undefined)) return;
  const words =
    'Say which events are meant, by from, a subscription or a field such as topic, or ask for all that are kept.';
  throw invalid(words, '/all');
}

function assertForward(from: LogPlace, to: LogPlace, fields: ReadFields): void {
  if (typeof from !== 'object' || typeof to !== 'object' || !('timeMs' in from) || !('timeMs' in to)) return;
  if (from.timeMs > to.timeMs) throw endsBefore(fields.pointer('to'));
}

/** The range is reversed. */
export function endsBefore(pointer: string): EventManagerError {
  return invalid('The range ends before it begins: from is later than to.', pointer);
}

function readFlag(fields: ReadFields, name: 'all' | 'dryRun'): boolean {
  const value = fields.get(name);
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw invalid(`${name} is true or false.`, fields.pointer(name));
}

/** A time, a cursor, or one of the ends of the log. Throws `invalid_run` and `invalid_cursor`. */
export function readLogPlace(value: unknown, pointer: string): LogPlace {
  if (value === 'earliest' || value === 'latest') return value;
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const place = readFields(value, PLACE_FIELDS, { code: 'invalid_run', pointer });
    const cursor = place.get('cursor');
    if ((cursor === undefined) === (place.get('time') === undefined)) {
      throw invalid('A place has either a cursor or a time.', pointer);
    }
    if (cursor === undefined) return { timeMs: readTimeMs(place.get('time'), place.pointer('time'), 'invalid_run') };
    if (typeof cursor !== 'string') throw invalid('A cursor is a text.', place.pointer('cursor'));
    decodeCursor(cursor, place.pointer('cursor'));
    return { cursor };
  }
  // A time has its dashes at certain places; no cursor looks like that.
  if (typeof value === 'string' && !/^\d{4}-\d{2}-\d{2}/.test(value)) {
    if (/^\d{1,15}$/.test(value)) return { timeMs: readTimeMs(Number(value), pointer, 'invalid_run') };
    return { cursor: readCursor(value, pointer) };
  }
  return { timeMs: readTimeMs(value, pointer, 'invalid_run') };
}

/** Whoever misspelt a word or a time is told of all that may stand here. */
function readCursor(value: string, pointer: string): string {
  try {
    decodeCursor(value);
  } catch (error) {
    if (!isEventManagerError(error, 'invalid_cursor')) throw error;
    const words =
      'A place of the log is earliest, latest, a time (RFC 3339 with an offset, or milliseconds since 1970) or a cursor; this is none of them, or a cursor that was cut.';
    throw new EventManagerError('invalid_cursor', words, { pointer });
  }
  return value;
}

function readPlace(fields: ReadFields, name: 'from' | 'to', otherwise: LogPlace): LogPlace {
  const value = fields.get(name);
  return value === undefined ? otherwise : readLogPlace(value, fields.pointer(name));
}

function readQuery(fields: ReadFields, limits: Limits): EventQuery {
  const query: Record<string, unknown> = {};
  for (const name of ['topic', 'types', 'sources', 'userId', 'projectId', 'correlationId']) {
    const value = fields.get(name);
    if (value !== undefined) query[name] = value;
  }
  return parseEventQuery(query, limits);
}

function readSubscriptions(fields: ReadFields): readonly string[] | undefined {
  const value = fields.get('subscriptions');
  if (value === undefined) return undefined;
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isSound = entries.every((entry) => typeof entry === 'string' && entry !== '');
  if (isSound && entries.length > 0 && entries.length <= SUBSCRIPTIONS_MAX) return [...new Set(entries as string[])];
  const words = `One to ${SUBSCRIPTIONS_MAX} ids or names of subscriptions, or of subscribers, are expected.`;
  throw invalid(words, fields.pointer('subscriptions'));
}

function readSpeed(fields: ReadFields): ReplaySpeed {
  const value = fields.get('speed');
  const pointer = fields.pointer('speed');
  if (value === undefined || value === 'max') return 'max';
  if (value === 'original') return { factor: 1 };
  if (typeof value === 'number' && value >= PER_SECOND_MIN && value <= PER_SECOND_MAX) return { perSecond: value };
  if (typeof value !== 'object' || value === null) {
    throw invalid('A speed is original, max, events per second, or {factor}.', pointer);
  }
  const speed = readFields(value, SPEED_FIELDS, { code: 'invalid_run', pointer });
  const factor = speed.get('factor');
  if (typeof factor === 'number' && factor >= FACTOR_MIN && factor <= FACTOR_MAX) return { factor };
  throw invalid('How many times as fast: a number above 0.', speed.pointer('factor'));
}

function readTarget(fields: ReadFields, limits: Limits): ReplayTarget | undefined {
  const value = fields.get('target');
  if (value === undefined) return undefined;
  const pointer = fields.pointer('target');
  const given =
    typeof value === 'string' ? { endpoint: value } : typeof value === 'function' ? { handler: value } : value;
  const target = readFields(given, TARGET_FIELDS, { code: 'invalid_run', pointer });
  const endpoint = target.get('endpoint');
  const handler = target.get('handler');
  if ((endpoint === undefined) === (handler === undefined)) {
    throw invalid('A target has either an endpoint or a handler.', pointer);
  }
  if (handler !== undefined) {
    if (typeof handler !== 'function') throw invalid('A handler is a function.', target.pointer('handler'));
    return { handler };
  }
  const isUrl = typeof endpoint === 'string' && ENDPOINT.test(endpoint) && URL.canParse(endpoint);
  if (!isUrl || endpoint.length > limits.endpointCharactersMax) {
    const words = 'A target is an absolute http or https URL without user, password and fragment.';
    throw new EventManagerError('invalid_endpoint', words, { pointer: target.pointer('endpoint') });
  }
  return { endpoint };
}

function readNote(fields: ReadFields): string | undefined {
  const note = fields.get('note');
  if (note === undefined) return undefined;
  const isSound = typeof note === 'string' && note.length <= NOTE_CHARACTERS_MAX && note.isWellFormed();
  if (isSound && !note.includes('\0')) return note;
  throw invalid(`A note is a text of at most ${NOTE_CHARACTERS_MAX} characters.`, fields.pointer('note'));
}

/** As it is kept with the run: without secrets and functions. */
export function requestJson({ from, to, query, subscriptions, speed }: ReplayRequest, target?: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify({
      ...{ from, to, ...query },
      ...(subscriptions ? { subscriptions } : {}),
      speed,
      ...(target ? { target } : {}),
    }),
  ) as JsonObject;
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_run', message, { pointer });
}
