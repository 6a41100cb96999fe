import { EventManagerError } from '../../errors/event-manager-error.ts';
import { parseEventId } from '../../event/event-id.ts';
import { readTimeMs } from '../../ingest/read-time.ts';
import { jsonPointer } from '../../json/json-pointer.ts';
import { fieldTable, type ReadFields, readFields } from '../../json/read-fields.ts';
import type { JsonObject } from '../../json.ts';
import type { Limits } from '../../limits.ts';
import { namedSubscriptionId } from '../../subscription/catalog.ts';
import { parsePattern } from '../../topic/pattern.ts';
import type { LetterSelection } from './letter-selection.ts';

/** Which letters shall be redriven or discarded, and how. `docs/` lists every spelling and default. */
export interface LettersRequest {
  readonly id?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  /** Ids or names of subscriptions. */
  readonly subscriptions?: string | readonly string[] | undefined;
  readonly subscriptionId?: string | undefined;
  readonly subscriptionIds?: readonly string[] | undefined;
  /** Code of the last error, for example `http_503`. */
  readonly errorCodes?: string | readonly string[] | undefined;
  /** Of a group: see `groupDeadLetters`. */
  readonly fingerprints?: string | readonly string[] | undefined;
  /** Topic pattern. */
  readonly topic?: string | undefined;
  /** Patterns over the event type. */
  readonly types?: string | readonly string[] | undefined;
  readonly correlationId?: string | undefined;
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  /** Given up on at or after, and before. */
  readonly from?: Date | string | number | undefined;
  readonly to?: Date | string | number | undefined;
  /** Ids of letters that are left out. */
  readonly except?: readonly string[] | undefined;
  /** Every open letter; needed where no field says which ones. */
  readonly all?: boolean | undefined;
  /** Why, for whoever asks later. */
  readonly note?: string | undefined;
  /** Only say which letters are meant. */
  readonly dryRun?: boolean | undefined;
  /** How many are known to be meant: needed above `deadLetters.confirmAbove`. */
  readonly confirm?: number | undefined;
}

export interface RedriveRequest extends LettersRequest {
  /** Redriven per second and subscription. Default: 100. */
  readonly rate?: number | undefined;
  /** In place of that of the event; for one letter alone. */
  readonly payload?: unknown;
  /** Also letters that were redriven as often as `deadLetters.redrivesMax` says. */
  readonly force?: boolean | undefined;
}

/** A subscription that a request asks for. */
export interface AskedSubscription {
  readonly id: string;
  /** Its id or name, as it was given. */
  readonly given: string;
  readonly pointer: string;
}

/** What was read of a request. */
export interface ReadRequest {
  readonly selection: LetterSelection;
  readonly asked: readonly AskedSubscription[];
  readonly note?: string;
  readonly confirm?: number;
  readonly rate: number;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly payload?: unknown;
}

const SELECTING = ['ids', 'subscriptionIds', 'errorCodes', 'fingerprints', 'topic', 'types', 'correlationId'] as const;
const MORE_SELECTING = ['userId', 'projectId', 'from', 'to', 'except', 'all'] as const;
const SPELLINGS = {
  id: 'ids',
  deadLetterId: 'ids',
  deadLetterIds: 'ids',
  subscriptionId: 'subscriptionIds',
  subscription: 'subscriptionIds',
  subscriptions: 'subscriptionIds',
  subscriberIds: 'subscriptionIds',
  error: 'errorCodes',
  errorCode: 'errorCodes',
  fingerprint: 'fingerprints',
  topicPattern: 'topic',
  type: 'types',
  eventType: 'types',
  eventTypes: 'types',
  user: 'userId',
  project: 'projectId',
  since: 'from',
  fromMs: 'from',
  fromTimestamp: 'from',
  deadSince: 'from',
  until: 'to',
  toMs: 'to',
  toTimestamp: 'to',
  deadUntil: 'to',
};
const DISCARD = fieldTable([...SELECTING, ...MORE_SELECTING, 'note', 'confirm', 'dryRun'], {
  ...SPELLINGS,
  reason: 'note',
});
const REDRIVE = fieldTable([...SELECTING, ...MORE_SELECTING, 'note', 'confirm', 'dryRun', 'rate', 'payload', 'force'], {
  ...SPELLINGS,
  reason: 'note',
  ratePerSecond: 'rate',
});

const IDS_MAX = 1_000;
const NOTE_CHARACTERS_MAX = 1_000;
const RATE_DEFAULT = 100;
const RATE_MAX = 100_000;

/** Reads a request as clients write it. Throws `invalid_run`, `invalid_pattern` with `details.pointer`. */
export function readLettersRequest(kind: 'redrive' | 'discard', input: unknown, limits: Limits): ReadRequest {
  const fields = readFields(input, kind === 'redrive' ? REDRIVE : DISCARD, { code: 'invalid_run', pointer: '' });
  const asked = readAsked(fields, limits);
  const selection = readSelection(fields, asked, limits);
  const hasFields = Object.keys(selection).some((name) => name !== 'except');
  if (!readFlag(fields, 'all') && !hasFields) {
    throw wrong('Say which letters are meant, by their ids or other fields, or ask for all of them.', '/all');
  }
  const payload = fields.get('payload');
  if (payload !== undefined && selection.ids?.length !== 1) {
    throw wrong('Another payload is for one letter, given by its id.', fields.pointer('payload'));
  }
  const confirm = readNumber(fields, 'confirm', Number.MAX_SAFE_INTEGER);
  const note = readText(fields, 'note', NOTE_CHARACTERS_MAX);
  return {
    selection,
    asked: asked ?? [],
    ...(note === undefined ? {} : { note }),
    ...(confirm === undefined ? {} : { confirm }),
    rate: readNumber(fields, 'rate', RATE_MAX) ?? RATE_DEFAULT,
    force: readFlag(fields, 'force'),
    dryRun: readFlag(fields, 'dryRun'),
    ...(payload === undefined ? {} : { payload }),
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function readAsked(fields: ReadFields, limits: Limits): readonly AskedSubscription[] | undefined {
  const texts = readTexts(fields, 'subscriptionIds', IDS_MAX, limits.nameCharactersMax);
  const value = fields.get('subscriptionIds');
  const pointer = fields.pointer('subscriptionIds');
  return texts?.map((given) => {
    const at = Array.isArray(value) ? jsonPointer(pointer, value.indexOf(given)) : pointer;
    return askedSubscription(given, at, limits);
  });
}

/** Reads the id or the name of a subscription. Throws `invalid_run`. */
export function askedSubscription(given: unknown, pointer: string, limits: Limits): AskedSubscription {
  assertText(given, limits.nameCharactersMax, pointer);
  // The id of a named one follows from its name, also after it was removed.
  return { id: parseEventId(given) ?? namedSubscriptionId(given), given, pointer };
}

function readSelection(
  fields: ReadFields,
  asked: readonly AskedSubscription[] | undefined,
  limits: Limits,
): LetterSelection {
  const selection: Writable<LetterSelection> = {};
  if (asked) selection.subscriptionIds = [...new Set(asked.map(({ id }) => id))];
  for (const name of ['ids', 'fingerprints', 'except'] as const) {
    const ids = readTexts(fields, name, IDS_MAX, limits.nameCharactersMax);
    if (ids) selection[name] = ids.map((id, at) => knownId(id, fields, name, at));
  }
  const codes = readTexts(fields, 'errorCodes', IDS_MAX, limits.nameCharactersMax);
  if (codes) selection.errorCodes = codes;
  const topic = readText(fields, 'topic', limits.topicCharactersMax);
  if (topic !== undefined) selection.topic = parsePattern(topic, limits, fields.pointer('topic')).text;
  const types = readTexts(fields, 'types', IDS_MAX, limits.topicCharactersMax);
  for (const type of types ?? []) parsePattern(type, limits, fields.pointer('types'));
  if (types) selection.types = types;
  for (const name of ['correlationId', 'userId', 'projectId'] as const) {
    const text = readText(fields, name, limits.nameCharactersMax);
    if (text !== undefined) selection[name] = text;
  }
  if (fields.get('from') !== undefined) selection.fromMs = readMoment(fields, 'from');
  if (fields.get('to') !== undefined) selection.toMs = readMoment(fields, 'to');
  return selection;
}

function knownId(id: string, fields: ReadFields, name: string, at: number): string {
  const known = parseEventId(id);
  if (known === undefined) throw wrong('An id is a UUID.', jsonPointer(fields.pointer(name), at));
  return known;
}

function readTexts(
  fields: ReadFields,
  name: string,
  entriesMax: number,
  charactersMax: number,
): readonly string[] | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (entries.length === 0) throw wrong('An empty list would mean nothing.', fields.pointer(name));
  if (entries.length > entriesMax) throw wrong(`At most ${entriesMax} values are allowed.`, fields.pointer(name));
  for (const entry of entries) assertText(entry, charactersMax, fields.pointer(name));
  return [...new Set(entries as readonly string[])];
}

function readText(fields: ReadFields, name: string, charactersMax: number): string | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  assertText(value, charactersMax, fields.pointer(name));
  return value as string;
}

function assertText(value: unknown, charactersMax: number, pointer: string): asserts value is string {
  const isUsable = typeof value === 'string' && value !== '' && value.length <= charactersMax;
  if (isUsable && value.isWellFormed() && !value.includes('\0')) return;
  throw wrong(`A text of 1 to ${charactersMax} characters is expected.`, pointer);
}

function readNumber(fields: ReadFields, name: string, maximum: number): number | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= maximum) return value as number;
  throw wrong(`A whole number from 1 to ${maximum} is expected.`, fields.pointer(name));
}

function readFlag(fields: ReadFields, name: string): boolean {
  const value = fields.get(name);
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw wrong('true or false is expected.', fields.pointer(name));
}

function readMoment(fields: ReadFields, name: 'from' | 'to'): number {
  const value = fields.get(name);
  const moment = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return readTimeMs(moment, fields.pointer(name), 'invalid_run');
}

/** The selection as a run keeps it and shows it. */
export function selectionToJson({ except, ...selection }: LetterSelection): JsonObject {
  return { ...selection, ...(except ? { except } : {}) } as unknown as JsonObject;
}

function wrong(words: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_run', words, { pointer });
}
