import type { JsonValue } from '../json.ts';

const isEnumerable = Object.prototype.propertyIsEnumerable;

/** Makes the way to a value by a dotted path. A key that is spelled with dots itself wins over the path. */
export function compilePath(path: string): (object: unknown) => JsonValue | undefined {
  const steps = path.split('.');
  if (steps.length === 1) return (object) => ownValue(object, path);
  return (object) => {
    const direct = ownValue(object, path);
    if (direct !== undefined) return direct;
    let value: unknown = object;
    for (const step of steps) if ((value = ownValue(value, step)) === undefined) return undefined;
    return value as JsonValue;
  };
}

/** Only what JSON would show: no filter reaches the `length` of a list or what JavaScript puts behind every object. Dates are compared as stored. */
function ownValue(object: unknown, key: string): JsonValue | undefined {
  if (typeof object !== 'object' || object === null || !isEnumerable.call(object, key)) return undefined;
  const value = (object as Record<string, unknown>)[key];
  return value instanceof Date ? value.toISOString() : (value as JsonValue | undefined);
}
