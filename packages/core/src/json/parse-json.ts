import { isUtf8 } from 'node:buffer';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { JsonValue } from '../json.ts';
import { checkJson } from './check-json.ts';
import { pointerOfDuplicate, pointerOfIndex } from './locate-in-json.ts';
import { scanJson } from './scan-json.ts';

/*
 * JSON.parse is fast and forgets: the last of two equal keys wins, numbers are rounded, nesting has no bound. What it forgets
 * is found in one pass over the text before it (depth, numbers, how many `:` stand outside strings) and by counting the keys
 * of its result: fewer keys than colons means that one was lost. Only when something is wrong is the text walked a second
 * time, slowly, to say where.
 */

export interface ParseJsonOptions {
  /** Nesting allowed: 1 is a flat object or list. */
  readonly depthMax: number;
  /** JSON pointer of the text in a larger input, put before every pointer of an error. */
  readonly pointerPrefix?: string | undefined;
}

/**
 * Reads JSON from outside. Refuses what would not survive being stored and sent again: duplicate keys, numbers that a double
 * does not hold, NUL characters, lone surrogates, invalid UTF-8, a byte order mark, `__proto__` keys. Throws `invalid_json`
 * and `too_deep` with `details.pointer`; for a syntax error the pointer is that of the whole text and `details.offset` says
 * where in it.
 */
export function parseJson(input: string | Uint8Array, options: ParseJsonOptions): JsonValue {
  const pointer = options.pointerPrefix ?? '';
  const text = typeof input === 'string' ? input : readUtf8(input, pointer);
  if (text.charCodeAt(0) === 0xfeff) throw invalid('The text begins with a byte order mark.', pointer);
  const scan = scanJson(text, options.depthMax);
  if (scan.tooDeepAt !== undefined) throw tooDeep(options.depthMax, pointerOfIndex(text, scan.tooDeepAt, pointer));
  const value = parseSyntax(text, pointer);
  if (scan.inexactNumberAt !== undefined) {
    const message = 'The number does not survive as a double; send it as a text.';
    throw invalid(message, pointerOfIndex(text, scan.inexactNumberAt, pointer));
  }
  if (countKeys(value) !== scan.colons) throw invalid('The key is given twice.', pointerOfDuplicate(text, pointer));
  if (mayHoldBadText(text)) checkJson(value, { depthMax: options.depthMax, pointer, code: 'invalid_json' });
  return value;
}

function readUtf8(bytes: Uint8Array, pointer: string): string {
  if (!isUtf8(bytes)) throw invalid('The text is not UTF-8.', pointer);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function parseSyntax(text: string, pointer: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    const offset = /position (\d+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
    const place = offset === undefined ? {} : { offset: Number(offset) };
    throw new EventManagerError('invalid_json', 'The text is not JSON.', { pointer, ...place }, cause);
  }
}

/** Recursion is bounded: the scan has refused deeper nesting. */
function countKeys(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const entry of value as readonly JsonValue[]) if (typeof entry === 'object') count += countKeys(entry);
    return count;
  }
  for (const key in value) {
    count++;
    const entry = (value as Record<string, JsonValue>)[key];
    if (typeof entry === 'object') count += countKeys(entry);
  }
  return count;
}

/** NUL and half pairs come as escapes, half pairs also as they are, `__proto__` also with escapes; plain text has none. */
function mayHoldBadText(text: string): boolean {
  return text.includes('\\u') || text.includes('__proto__') || !text.isWellFormed();
}

function tooDeep(maximum: number, pointer: string): EventManagerError {
  const message = `The value is nested deeper than ${maximum} levels.`;
  return new EventManagerError('too_deep', message, { pointer, limit: 'depthMax', maximum });
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_json', message, { pointer });
}
