import { EventManagerError, jsonPointer } from '@event-manager/core/portable';
import { isObject } from './problem-error.ts';

/** An event query as the parameters of an address: a list is a parameter that is repeated. Throws `invalid_query`. */
export function queryParameters(query: unknown): URLSearchParams {
  if (!isObject(query)) throw new EventManagerError('invalid_query', 'A query is an object.', { pointer: '' });
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value) && value.length === 0) throw unreadable(name, 'An empty list would match nothing.');
    for (const entry of Array.isArray(value) ? value : [value]) {
      if (entry !== undefined) parameters.append(name, textOf(entry, name));
    }
  }
  return parameters;
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.toISOString();
  throw unreadable(name, 'A text, a number, a time or a list of them is expected.');
}

function unreadable(name: string, words: string): EventManagerError {
  return new EventManagerError('invalid_query', words, { pointer: jsonPointer('', name) });
}
