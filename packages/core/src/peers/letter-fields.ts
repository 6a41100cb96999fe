import { EventManagerError } from '../errors/event-manager-error.ts';
import type { JsonObject, JsonValue } from '../json.ts';

/**
 * Reads the fields of letters. What another version of this program, or a stranger, sent in another shape is passed over:
 * each throws `internal`, which ends the reading of that letter alone.
 */
export function textOf(letter: JsonObject, name: string): string {
  const value = letter[name];
  if (typeof value === 'string') return value;
  throw unreadable(name);
}

export function numberOf(letter: JsonObject, name: string): number {
  const value = letter[name];
  if (typeof value === 'number') return value;
  throw unreadable(name);
}

export function numbersOf(letter: JsonObject, name: string): readonly number[] {
  const list = listOf(letter, name);
  if (list.every((value) => typeof value === 'number')) return list;
  throw unreadable(name);
}

export function objectsOf(letter: JsonObject, name: string): readonly JsonObject[] {
  const list = listOf(letter, name);
  if (list.every((value) => typeof value === 'object' && value !== null && !Array.isArray(value))) {
    return list as readonly JsonObject[];
  }
  throw unreadable(name);
}

export function objectOf(letter: JsonObject, name: string): JsonObject {
  const value = letter[name];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw unreadable(name);
}

function listOf(letter: JsonObject, name: string): readonly JsonValue[] {
  const value = letter[name];
  if (Array.isArray(value)) return value;
  throw unreadable(name);
}

function unreadable(name: string): EventManagerError {
  return new EventManagerError('internal', `A letter has no ${name} that can be read.`);
}
