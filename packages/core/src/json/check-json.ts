import type { ErrorCode } from '../errors/codes.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { jsonPointer } from './json-pointer.ts';

/*
 * A value given by embedding code is walked once without writing anything down; only when something is wrong do the
 * frames return the fault upwards and each adds its key, so that the pointer costs nothing while all is well. Depth is
 * counted on the way down, so a cycle ends as `too_deep` and never as a stack overflow.
 */

export interface CheckJsonOptions {
  /** Nesting allowed: 1 is a flat object or list. */
  readonly depthMax: number;
  /** JSON pointer of `value` in the input. */
  readonly pointer: string;
  /** False when the caller looks for NUL and lone surrogates in the encoded text instead, which is faster. Default true. */
  readonly checkText?: boolean;
  /** Code for values that JSON cannot hold. Default `invalid_event`. */
  readonly code?: ErrorCode;
}

/**
 * Refuses what `JSON.stringify` would drop, change or choke on: `undefined` in lists, functions, symbols, BigInt, NaN,
 * infinities, class instances without `toJSON`, invalid dates, NUL and lone surrogates in text, `__proto__` keys, cycles.
 * Allowed and left to `JSON.stringify`: properties with the value `undefined` (left out), `-0` (written as 0), `Date` (ISO text).
 *
 * Returns true when `JSON.stringify` will write exactly what was checked; false when a `toJSON` of the caller takes part,
 * which could answer differently the next time, so that the written text has to be checked again.
 */
export function checkJson(value: unknown, options: CheckJsonOptions): boolean {
  const walk: Walk = { depthMax: options.depthMax, checkText: options.checkText !== false, exact: true };
  const fault = faultIn(value, 1, walk, '', true);
  if (fault === undefined) return walk.exact;
  let pointer = options.pointer;
  for (let index = fault.path.length - 1; index >= 0; index--) pointer = jsonPointer(pointer, fault.path[index]!);
  if (fault.reason === TOO_DEEP) {
    const message = `The value is nested deeper than ${options.depthMax} levels or refers to itself.`;
    throw new EventManagerError('too_deep', message, { pointer, limit: 'depthMax', maximum: options.depthMax });
  }
  throw new EventManagerError(options.code ?? 'invalid_event', `JSON cannot hold ${fault.reason}.`, { pointer });
}

interface Walk {
  readonly depthMax: number;
  readonly checkText: boolean;
  exact: boolean;
}

interface Fault {
  readonly reason: string;
  /** Keys from the fault outwards. */
  readonly path: (string | number)[];
}

const TOO_DEEP = 'nesting';
const fault = (reason: string): Fault => ({ reason, path: [] });

function faultIn(value: unknown, depth: number, walk: Walk, key: string, mayConvert: boolean): Fault | undefined {
  switch (typeof value) {
    case 'string':
      return walk.checkText ? faultInText(value) : undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : fault(`the number ${value}`);
    case 'boolean':
      return undefined;
    case 'object':
      if (value === null) return undefined;
      if (Array.isArray(value)) return faultInList(value, depth, walk);
      return faultInObject(value, depth, walk, key, mayConvert);
    default:
      return fault(value === undefined ? 'undefined' : `a ${typeof value}`);
  }
}

function faultInList(list: readonly unknown[], depth: number, walk: Walk): Fault | undefined {
  if (depth > walk.depthMax) return fault(TOO_DEEP);
  for (let index = 0; index < list.length; index++) {
    const found = faultIn(list[index], depth + 1, walk, String(index), true);
    if (found !== undefined) {
      found.path.push(index);
      return found;
    }
  }
  return undefined;
}

function faultInObject(
  object: object,
  depth: number,
  walk: Walk,
  ownKey: string,
  mayConvert: boolean,
): Fault | undefined {
  const convert = (object as { toJSON?: unknown }).toJSON;
  if (typeof convert === 'function' && mayConvert) return faultInConverted(object, depth, walk, ownKey);
  if (!isPlain(object)) return fault(`an instance of ${className(object)}`);
  if (depth > walk.depthMax) return fault(TOO_DEEP);
  for (const key in object) {
    const value = (object as Record<string, unknown>)[key];
    if (value === undefined) continue;
    const found = faultInKey(key, walk) ?? faultIn(value, depth + 1, walk, key, true);
    if (found !== undefined) {
      found.path.push(key);
      return found;
    }
  }
  return undefined;
}

/** As `JSON.stringify` does: `toJSON` is asked once, and what it returns is taken as it is. */
function faultInConverted(object: object, depth: number, walk: Walk, ownKey: string): Fault | undefined {
  if (object instanceof Date) return Number.isFinite(object.getTime()) ? undefined : fault('an invalid date');
  walk.exact = false;
  const converted: unknown = (object as { toJSON(key: string): unknown }).toJSON(ownKey);
  return faultIn(converted, depth, walk, ownKey, false);
}

function faultInKey(key: string, walk: Walk): Fault | undefined {
  if (key === '__proto__') return fault('the key __proto__ safely');
  return walk.checkText ? faultInText(key) : undefined;
}

function faultInText(text: string): Fault | undefined {
  if (text.includes('\0')) return fault('a NUL character in every store');
  return text.isWellFormed() ? undefined : fault('half of a surrogate pair');
}

/** Plain in any realm: a prototype that is itself the end of a chain belongs to some `Object`. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function className(object: object): string {
  const name: unknown = object.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'an unnamed class';
}
