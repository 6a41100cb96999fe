import type { Event } from '../event/event.ts';
import { equalJson } from '../json/equal-json.ts';
import type { JsonValue } from '../json.ts';
import { compilePatterns } from '../topic/compile-patterns.ts';
import type { Filter, ValueFilter } from './filter.ts';

const isEnumerable = Object.prototype.propertyIsEnumerable;

type Test = (event: Event) => boolean;

/** Makes the test for one filter as `parseFilter` returned it; cheap fields are looked at first. */
export function compileFilter(filter: Filter): (event: Event) => boolean {
  const tests = [...fieldTests(filter), ...valueTests(filter)];
  if (tests.length === 0) return () => true;
  if (tests.length === 1) return tests[0]!;
  return (event) => {
    for (const test of tests) if (!test(event)) return false;
    return true;
  };
}

function fieldTests({ priority, sources, types, includeTypes, excludeTypes, tags }: Filter): Test[] {
  const tests: Test[] = [];
  if (typeof priority === 'number') tests.push((event) => event.priority <= priority);
  else if (priority !== undefined) tests.push((event) => priority.includes(event.priority));
  if (sources !== undefined) {
    const wanted = new Set(sources);
    tests.push((event) => wanted.has(event.source));
  }
  for (const patterns of [types, includeTypes]) {
    if (patterns === undefined) continue;
    const matches = compilePatterns(patterns);
    tests.push((event) => matches(event.type));
  }
  if (excludeTypes !== undefined && excludeTypes.length > 0) {
    const matches = compilePatterns(excludeTypes);
    tests.push((event) => !matches(event.type));
  }
  if (tags !== undefined) tests.push((event) => tags.every((tag) => event.metadata.tags.includes(tag)));
  return tests;
}

function valueTests({ metadata, payload }: Filter): Test[] {
  const tests: Test[] = [];
  for (const test of compileValues(metadata)) tests.push((event) => test(event.metadata));
  for (const test of compileValues(payload)) tests.push((event) => test(event.payload));
  return tests;
}

function compileValues(values: ValueFilter = {}): ((object: unknown) => boolean)[] {
  return Object.entries(values).map(([path, wanted]) => {
    const choices = Array.isArray(wanted) ? (wanted as readonly JsonValue[]) : [wanted];
    const steps = path.split('.');
    return (object) => {
      const found = valueAt(object, path, steps);
      return found !== undefined && choices.some((choice) => equalJson(choice, found));
    };
  });
}

/** A key that is spelled with dots itself wins over the path. */
function valueAt(object: unknown, path: string, steps: readonly string[]): JsonValue | undefined {
  const direct = ownValue(object, path);
  if (direct !== undefined || steps.length === 1) return direct;
  let value: unknown = object;
  for (const step of steps) if ((value = ownValue(value, step)) === undefined) return undefined;
  return value as JsonValue;
}

/** Only what JSON would show: no filter reaches the `length` of a list or what JavaScript puts behind every object. Dates are compared as stored. */
function ownValue(object: unknown, key: string): JsonValue | undefined {
  if (typeof object !== 'object' || object === null || !isEnumerable.call(object, key)) return undefined;
  const value = (object as Record<string, unknown>)[key];
  return value instanceof Date ? value.toISOString() : (value as JsonValue | undefined);
}
