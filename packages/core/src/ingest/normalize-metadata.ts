import { EventManagerError } from '../errors/event-manager-error.ts';
import type { StoredMetadata } from '../event/encode-event.ts';
import { EXPLICIT_RETRIES, HAS_EXPIRY, HAS_ORDERING_KEY } from '../event/flags.ts';
import { checkJson } from '../json/check-json.ts';
import { jsonPointer } from '../json/json-pointer.ts';
import type { Limits } from '../limits.ts';
import { type GivenDue, givenDue } from '../schedule/read-due.ts';
import { acceptMetadata, isMetadataField } from './accept.ts';
import { readOptionalName, readSharedName } from './read-name.ts';
import { readTimeMs, timeText } from './read-time.ts';

/** Retries of an event whose publisher says nothing; the subscription's policy then decides. */
const RETRIES_DEFAULT = 3;
/** More is a mistake: with the slowest default delays a thousand retries take eight hours. */
const RETRIES_MAX = 1_000;
/** Not frozen, like the defaults below: `JSON.stringify` is three times as slow with a frozen list in an event (Node 26). Nobody gets hold of it. */
const NO_TAGS: readonly string[] = [];

export interface NormalizedMetadata {
  readonly metadata: StoredMetadata;
  readonly flags: number;
  /** True when the publisher's own `toJSON` takes part in the encoding (see `checkJson`). */
  readonly exact: boolean;
  /** When it is to be delivered: not stored, because afterwards it says nothing. */
  readonly due: GivenDue | undefined;
}

/** Of an event whose publisher says nothing. */
export const DEFAULT_METADATA: StoredMetadata = Object.freeze({
  tags: NO_TAGS,
  retryCount: 0,
  maxRetries: RETRIES_DEFAULT,
} as const);

const DEFAULTS: NormalizedMetadata = Object.freeze({
  metadata: DEFAULT_METADATA,
  flags: 0,
  exact: true,
  due: undefined,
});

/** Reads metadata and puts in the defaults. Keys that the product does not know are kept. Throws `invalid_event`. */
export function normalizeMetadata(
  input: unknown,
  limits: Limits,
  pointer: string,
  isChecked: boolean,
): NormalizedMetadata {
  if (input === undefined) return DEFAULTS;
  const given = acceptMetadata(input, pointer);
  const { projectId, userId, sessionId, tags, retryCount, maxRetries, expiresAt, orderingKey, deliverAt, delayMs } =
    given;
  const charactersMax = limits.nameCharactersMax;
  if (retryCount !== undefined) readRetries(retryCount, pointer, 'retryCount');
  const metadata: Record<string, unknown> = {
    projectId: readOptionalName(projectId, charactersMax, pointer, 'projectId'),
    userId: readOptionalName(userId, charactersMax, pointer, 'userId'),
    sessionId: readOptionalName(sessionId, charactersMax, pointer, 'sessionId'),
    tags: tags === undefined ? NO_TAGS : readTags(tags, limits, `${pointer}/tags`),
    // Attempts belong to deliveries: a stored event that counted them would differ from what was published.
    retryCount: 0,
    maxRetries: maxRetries === undefined ? RETRIES_DEFAULT : readRetries(maxRetries, pointer, 'maxRetries'),
    expiresAt: expiresAt === undefined ? undefined : timeText(readTimeMs(expiresAt, `${pointer}/expiresAt`)),
    orderingKey: readOptionalName(orderingKey, charactersMax, pointer, 'orderingKey'),
  };
  let exact = true;
  for (const key in given) {
    if (isMetadataField(key)) continue;
    exact = copyOwnKey(given, key, metadata, limits, pointer, isChecked) && exact;
  }
  const flags =
    (maxRetries === undefined ? 0 : EXPLICIT_RETRIES) |
    (expiresAt === undefined ? 0 : HAS_EXPIRY) |
    (orderingKey === undefined ? 0 : HAS_ORDERING_KEY);
  const due = givenDue(deliverAt, delayMs, pointer);
  return { metadata: metadata as unknown as StoredMetadata, flags, exact, due };
}

/** A key of the publisher's own. The value itself is not copied: encoding follows before anybody else can run. */
function copyOwnKey(
  given: Readonly<Record<string, unknown>>,
  key: string,
  metadata: Record<string, unknown>,
  limits: Limits,
  pointer: string,
  isChecked: boolean,
): boolean {
  const value = given[key];
  if (value === undefined) return true;
  const place = jsonPointer(pointer, key);
  if (key === '__proto__') throw new EventManagerError('invalid_event', 'This key is not allowed.', { pointer: place });
  metadata[key] = value;
  if (isChecked) return true;
  return checkJson(value, { depthMax: limits.depthMax - 2, pointer: place, checkText: false });
}

function readRetries(value: unknown, parent: string, key: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= RETRIES_MAX) return value + 0;
  const message = `A whole number from 0 to ${RETRIES_MAX} is expected.`;
  throw new EventManagerError('invalid_event', message, { pointer: `${parent}/${key}` });
}

function readTags(value: unknown, limits: Limits, pointer: string): readonly string[] {
  if (!Array.isArray(value)) throw new EventManagerError('invalid_event', 'Tags are a list of texts.', { pointer });
  if (value.length > limits.tagsMax) {
    const message = `An event has at most ${limits.tagsMax} tags.`;
    throw new EventManagerError('invalid_event', message, { pointer, limit: 'tagsMax', maximum: limits.tagsMax });
  }
  const tags: string[] = [];
  for (let index = 0; index < value.length; index++) {
    tags.push(readSharedName(value[index], limits.nameCharactersMax, pointer, String(index)));
  }
  return tags;
}
