import { EventManagerError } from '../errors/event-manager-error.ts';
import { fieldTable, type ReadFields, readFields } from '../json/read-fields.ts';
import type { JsonObject } from '../json.ts';
import { keptMetadata } from '../sink/kept-metadata.ts';

/** Deliveries in one answer, and tokens in one request. */
export const PULL_MAX = 1_000;
export const PULL_DEFAULT = 10;
/** A request that waits holds a connection, and proxies cut those that are silent for longer. */
export const WAIT_MS_MAX = 30_000;
const TOKEN_CHARACTERS_MAX = 64;
const ERROR_CHARACTERS_MAX = 1_024;
const AFTER_MS_MAX = 24 * 60 * 60 * 1_000;

export const PULL_FIELDS = fieldTable(['max', 'waitMs'], { wait: 'waitMs' });
export const LEASE_FIELDS = fieldTable(['deliveries']);
export const NACK_FIELDS = fieldTable(['deliveries', 'retry', 'afterMs', 'error', 'metadata']);

export interface ParsedNack {
  readonly tokens: readonly string[];
  readonly retry: boolean;
  readonly afterMs: number | undefined;
  readonly error: string;
  readonly metadata: JsonObject | undefined;
}

/** How many deliveries to hand over and how long to wait for the first. Throws `invalid_request`. */
export function parsePull(input: unknown): { readonly max: number; readonly waitMs: number } {
  const fields = readFields(input, PULL_FIELDS, { code: 'invalid_request', pointer: '' });
  return {
    max: whole(fields, 'max', 1, PULL_MAX) ?? PULL_DEFAULT,
    waitMs: whole(fields, 'waitMs', 0, WAIT_MS_MAX) ?? 0,
  };
}

/** The tokens of deliveries. Throws `invalid_request`. */
export function parseLeases(input: unknown): readonly string[] {
  return tokensOf(readFields(input, LEASE_FIELDS, { code: 'invalid_request', pointer: '' }));
}

/** What failed, and why. Throws `invalid_request`. */
export function parseNack(input: unknown): ParsedNack {
  const fields = readFields(input, NACK_FIELDS, { code: 'invalid_request', pointer: '' });
  // `null` is refused, as everywhere: it is not taken for absent.
  const { retry = true, error = 'The receiver reported a failure.' } = {
    retry: fields.get('retry'),
    error: fields.get('error'),
  };
  if (typeof retry !== 'boolean') throw invalid('true or false is expected.', fields.pointer('retry'));
  if (typeof error !== 'string' || error.length > ERROR_CHARACTERS_MAX || !error.isWellFormed()) {
    throw invalid(`A text of at most ${ERROR_CHARACTERS_MAX} characters is expected.`, fields.pointer('error'));
  }
  const afterMs = whole(fields, 'afterMs', 0, AFTER_MS_MAX);
  return { tokens: tokensOf(fields), retry, error, afterMs, metadata: metadataOf(fields) };
}

/** What could not be kept is refused: whoever says it wants to find it in the dead letter. */
function metadataOf(fields: ReadFields): JsonObject | undefined {
  const given = fields.get('metadata');
  const kept = keptMetadata(given);
  if (given === undefined || kept) return kept;
  const words = 'An object that is not empty, of at most 1,024 characters of JSON, is expected.';
  throw invalid(words, fields.pointer('metadata'));
}

function tokensOf(fields: ReadFields): readonly string[] {
  const tokens: unknown = fields.get('deliveries');
  const isList = Array.isArray(tokens) && tokens.length > 0 && tokens.length <= PULL_MAX;
  if (isList && tokens.every(isToken)) return tokens;
  throw invalid(
    `A list of 1 to ${PULL_MAX} deliveries is expected, as they were called.`,
    fields.pointer('deliveries'),
  );
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= TOKEN_CHARACTERS_MAX;
}

function whole(fields: ReadFields, name: string, min: number, max: number): number | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`A whole number from ${min} to ${max} is expected.`, fields.pointer(name));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_request', message, { pointer });
}
