import { jsonPointer } from '../json/json-pointer.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { parseCidr } from './cidr.ts';
import { type FilterBudget, invalidFilter } from './filter-budget.ts';
import { foreignWithin, meantBy } from './foreign-operators.ts';
import { parseNumeric } from './numeric.ts';
import {
  DENIABLE,
  OPERATORS,
  type OperatorName,
  operatorName,
  operatorsIn,
  operatorWithin,
  TEXT_OPERATORS,
} from './operators.ts';

type Operators = Record<string, JsonValue>;

const SHOWN_CHARACTERS_MAX = 40;
const ITSELF = '{"equals": …} compares with the value itself';

/**
 * Reads what a value is wanted to be, JSON already, into its one stored form: values stand for themselves, operators have their
 * names in camelCase and their settled order. Throws `invalid_filter`.
 */
export function readWanted(wanted: JsonValue, pointer: string, budget: FilterBudget): JsonValue {
  if (!Array.isArray(wanted)) {
    const choice = readChoice(wanted, pointer, budget);
    // A list in the place of a value means alternatives: one that is meant itself is the only one of them.
    return Array.isArray(choice) ? [choice] : choice;
  }
  if (wanted.length === 0) throw invalidFilter('An empty list would match nothing.', pointer);
  return wanted.map((choice: JsonValue, index) => readChoice(choice, jsonPointer(pointer, index), budget));
}

/** How operators are read where they stand. */
interface Reading {
  readonly budget: FilterBudget;
  readonly allowed: readonly OperatorName[];
  /** What is looked at may be long, or several. */
  readonly boundsWildcards: boolean;
  readonly readDenied: (denied: unknown, pointer: string) => JsonValue;
}

export interface TextReading {
  readonly budget: FilterBudget;
  readonly boundsWildcards: boolean;
  /** Reads a plain text. */
  readonly readText: (text: unknown, pointer: string) => string;
}

/** Reads operators on a text: those of `types`, `topics`, `sources` and `tags`. */
export function readTextOperators(given: object, pointer: string, { readText, ...how }: TextReading): Operators {
  const readDenied = (denied: unknown, place: string) => alternatives(denied, place, readDeniedText);
  const readDeniedText = (denied: unknown, place: string): JsonValue => {
    if (typeof denied !== 'object' || denied === null) return readText(denied, place);
    return readOperators(denied, place, { ...how, allowed: TEXT_OPERATORS.slice(0, -1), readDenied });
  };
  return readOperators(given, pointer, { ...how, allowed: TEXT_OPERATORS, readDenied });
}

function readChoice(choice: JsonValue, pointer: string, budget: FilterBudget): JsonValue {
  switch (operatorsIn(choice)) {
    case 'some':
      throw mixed(choice as JsonObject, pointer);
    case 'none':
      assertPlain(choice, pointer);
      budget.spendObjects(countObjects(choice), pointer);
      return choice;
    default:
      return readValueOperators(choice as JsonObject, pointer, budget);
  }
}

function countObjects(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : 1;
  return Object.values(value).reduce((count: number, entry) => count + countObjects(entry as JsonValue), own);
}

function readValueOperators(given: JsonObject, pointer: string, budget: FilterBudget): JsonValue {
  const readEach = (denied: unknown, place: string) =>
    alternatives(denied, place, (one, at) => readDenied(one, at, budget));
  const how = { budget, allowed: OPERATORS, boundsWildcards: true, readDenied: readEach };
  const read = readOperators(given, pointer, how);
  for (const name of ['equals', 'exists']) {
    if (name in read && Object.keys(read).length > 1) {
      throw invalidFilter(`The operator ${name} stands alone.`, jsonPointer(pointer, name));
    }
  }
  // What cannot be taken for an operator needs no operator to be itself.
  const { equals } = read;
  if (equals !== undefined) budget.spendObjects(countObjects(equals), pointer);
  if (equals === undefined || operatorsIn(equals) !== 'none' || operatorWithin(equals)) return read;
  return foreignWithin(equals) ? read : equals;
}

function readDenied(denied: unknown, pointer: string, budget: FilterBudget): JsonValue {
  if (typeof denied !== 'object' || denied === null) return denied as JsonValue;
  const readNone = () => {
    throw new TypeError('anythingBut is not deniable');
  };
  return readOperators(denied, pointer, { budget, allowed: DENIABLE, boundsWildcards: true, readDenied: readNone });
}

function readOperators(given: object, pointer: string, how: Reading): Operators {
  const { allowed, readDenied } = how;
  const read = new Map<string, JsonValue>();
  for (const [key, operand] of Object.entries(given)) {
    const place = jsonPointer(pointer, key);
    const name = operatorName(key);
    if (name === undefined || !allowed.includes(name)) throw unexpected(key, place, allowed);
    if (read.has(name)) throw invalidFilter(`The operator ${name} is given twice, in two spellings.`, place);
    const value = name === 'anythingBut' ? readDenied(operand, place) : readOperand(name, operand, place, how);
    read.set(name, value);
  }
  if (read.size === 0) throw invalidFilter(`An operator is expected here: ${allowed.join(', ')}.`, pointer);
  const names = OPERATORS.filter((name) => read.has(name));
  return Object.fromEntries(names.map((name) => [name, read.get(name)!]));
}

function readOperand(
  name: OperatorName,
  operand: unknown,
  pointer: string,
  { budget, boundsWildcards }: Reading,
): JsonValue {
  switch (name) {
    case 'equals':
      return operand as JsonValue;
    case 'numeric':
      return parseNumeric(operand, pointer);
    case 'exists':
      if (typeof operand === 'boolean') return operand;
      throw invalidFilter('exists is true or false.', pointer);
    case 'cidr':
      return alternatives(operand, pointer, readCidr);
    default:
      return alternatives(operand, pointer, (text, place) => {
        if (name === 'wildcard' && boundsWildcards) budget.spendWildcard(place);
        return readOperandText(text, place, budget);
      });
  }
}

/** One, or a list of at least one, which is kept as one when it is one. */
function alternatives(given: unknown, pointer: string, read: (one: unknown, pointer: string) => JsonValue): JsonValue {
  if (!Array.isArray(given)) return read(given, pointer);
  if (given.length === 0) throw invalidFilter('A list of at least one is expected.', pointer);
  const values = given.map((one: unknown, index) => read(one, jsonPointer(pointer, index)));
  return values.length === 1 ? values[0]! : values;
}

function readOperandText(text: unknown, pointer: string, { limits }: FilterBudget): string {
  const isUsable = typeof text === 'string' && text !== '' && text.length <= limits.nameCharactersMax;
  if (isUsable && text.isWellFormed() && !text.includes('\0')) return text;
  throw invalidFilter(`A text of 1 to ${limits.nameCharactersMax} characters is expected.`, pointer);
}

function readCidr(block: unknown, pointer: string): string {
  if (parseCidr(block) !== undefined) return block as string;
  throw invalidFilter('A block of addresses is expected, such as 10.0.0.0/8 or 2001:db8::/32.', pointer);
}

/** An operator inside a value would be compared letter by letter, and match nothing without anybody noticing. */
function assertPlain(value: JsonValue, pointer: string): void {
  const foreign = foreignWithin(value);
  if (foreign) throw unknown(String(foreign.at(-1)), placeOf(foreign, pointer));
  const path = operatorWithin(value);
  if (path === undefined) return;
  const words = `An operator stands at a path such as "customer.country"; ${ITSELF}.`;
  throw invalidFilter(words, placeOf(path, pointer));
}

function placeOf(path: readonly (string | number)[], pointer: string): string {
  return path.reduce<string>((parent, key) => jsonPointer(parent, key), pointer);
}

function mixed(choice: JsonObject, pointer: string): Error {
  const stranger = Object.keys(choice).find((key) => operatorName(key) === undefined)!;
  const place = jsonPointer(pointer, stranger);
  if (meantBy(stranger) !== undefined) return unknown(stranger, place);
  const words = `Beside an operator stand operators alone: ${OPERATORS.join(', ')}; ${ITSELF}.`;
  return invalidFilter(words, place);
}

/** Known elsewhere, or misspelt. */
function unknown(key: string, place: string): Error {
  const shown = key.slice(0, SHOWN_CHARACTERS_MAX);
  return invalidFilter(`There is no operator ${shown}: ${meantBy(key) ?? OPERATORS.join(', ')}. ${ITSELF}.`, place);
}

function unexpected(key: string, place: string, allowed: readonly OperatorName[]): Error {
  const meant = meantBy(key);
  const hint = meant === undefined ? '' : ` For ${key} ${meant}.`;
  return invalidFilter(`An operator is expected here: ${allowed.join(', ')}.${hint}`, place);
}
