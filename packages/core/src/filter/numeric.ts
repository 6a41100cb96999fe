import { jsonPointer } from '../json/json-pointer.ts';
import type { JsonValue } from '../json.ts';
import { invalidFilter } from './filter-budget.ts';

const FORM = 'One comparison ([">", 0]) or a range, its lower end first ([">=", 0, "<", 10]), is expected.';

/** Reads comparisons as EventBridge writes them: `["=", 5]`, `[">", 0, "<=", 10]`. Throws `invalid_filter`. */
export function parseNumeric(given: unknown, pointer: string): JsonValue {
  if (!Array.isArray(given) || (given.length !== 2 && given.length !== 4)) throw invalidFilter(FORM, pointer);
  const [first, low, second, high] = given as unknown[];
  const isRange = given.length === 4;
  if (isRange ? !isLower(first) : !(isLower(first) || isUpper(first) || first === '=')) {
    throw invalidFilter(FORM, jsonPointer(pointer, 0));
  }
  if (typeof low !== 'number') throw invalidFilter('A number is expected.', jsonPointer(pointer, 1));
  if (!isRange) return [first as string, low];
  if (!isUpper(second)) throw invalidFilter(FORM, jsonPointer(pointer, 2));
  if (typeof high !== 'number') throw invalidFilter('A number is expected.', jsonPointer(pointer, 3));
  const isEmpty = first === '>=' && second === '<=' ? low > high : low >= high;
  if (isEmpty) throw invalidFilter('No number is in this range.', jsonPointer(pointer, 3));
  return [first as string, low, second as string, high];
}

/** Makes the test for comparisons as `parseNumeric` returned them; `undefined` for anything else. */
export function compileNumeric(comparisons: unknown): ((value: number) => boolean) | undefined {
  if (!Array.isArray(comparisons)) return undefined;
  const [operator, bound, upper, high] = comparisons as unknown[];
  const first = compare(operator, bound);
  if (comparisons.length === 2) return first;
  const second = comparisons.length === 4 ? compare(upper, high) : undefined;
  return first && second && ((value) => first(value) && second(value));
}

function compare(operator: unknown, bound: unknown): ((value: number) => boolean) | undefined {
  if (typeof bound !== 'number') return undefined;
  switch (operator) {
    case '=':
      return (value) => value === bound;
    case '>':
      return (value) => value > bound;
    case '>=':
      return (value) => value >= bound;
    case '<':
      return (value) => value < bound;
    case '<=':
      return (value) => value <= bound;
    default:
      return undefined;
  }
}

function isLower(operator: unknown): operator is string {
  return operator === '>' || operator === '>=';
}

function isUpper(operator: unknown): operator is string {
  return operator === '<' || operator === '<=';
}
