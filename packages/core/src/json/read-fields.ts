import type { ErrorCode } from '../errors/codes.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { jsonPointer } from './json-pointer.ts';

/** The fields an object may have. Spellings are written in camelCase; snake_case is understood everywhere. */
export interface FieldTable {
  /** Each spelling with the name it stands for. */
  readonly names: ReadonlyMap<string, string>;
  /** Spellings that the documents describe and that cannot be honoured yet: refused by name rather than ignored. */
  readonly later: ReadonlySet<string>;
}

export interface ReadFieldsOptions {
  readonly code: ErrorCode;
  /** JSON pointer of the object. */
  readonly pointer: string;
}

/** The fields of one object under their settled names. */
export interface ReadFields {
  get(name: string): unknown;
  /** JSON pointer of a field in the spelling that was used. */
  pointer(name: string): string;
}

/** `names` stand for themselves; `others` maps further spellings to one of them. */
export function fieldTable(
  names: readonly string[],
  others: Readonly<Record<string, string>> = {},
  later: readonly string[] = [],
): FieldTable {
  const spellings = new Map(names.map((name) => [name, name]));
  for (const [spelling, name] of Object.entries(others)) spellings.set(spelling, name);
  return { names: spellings, later: new Set(later) };
}

/** The name that a spelling stands for; `undefined` when it is not known. */
export function fieldName(table: FieldTable, key: string): string | undefined {
  return table.names.get(toCamelCase(key));
}

/**
 * Settles the names of an object's fields. Fields with the value `undefined` are absent. Throws `options.code` for what is
 * not an object, for unknown fields and for a field given in two spellings; `not_supported` for fields of later versions.
 */
export function readFields(input: unknown, table: FieldTable, options: ReadFieldsOptions): ReadFields {
  const { code, pointer } = options;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new EventManagerError(code, 'An object is expected here.', { pointer });
  }
  const values = new Map<string, unknown>();
  const places = new Map<string, string>();
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const spelling = toCamelCase(key);
    const place = jsonPointer(pointer, key);
    if (table.later.has(spelling)) {
      throw new EventManagerError('not_supported', 'This field is not supported yet.', { pointer: place });
    }
    const name = table.names.get(spelling);
    if (name === undefined) throw new EventManagerError(code, unknownWords(table), { pointer: place });
    if (values.has(name)) {
      throw new EventManagerError(code, `The field ${name} is given twice, in two spellings.`, { pointer: place });
    }
    values.set(name, value);
    places.set(name, place);
  }
  return { get: (name) => values.get(name), pointer: (name) => places.get(name) ?? `${pointer}/${name}` };
}

/** Our own names alone: what was given is in the pointer, and may be a megabyte long. */
function unknownWords({ names }: FieldTable): string {
  return `This field is not known. Known here are ${[...new Set(names.values())].join(', ')}.`;
}

function toCamelCase(key: string): string {
  return key.includes('_')
    ? key.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    : key;
}
