import type { JsonObject, JsonValue } from '../json.ts';

/** JSON value equality: the order of keys does not matter, that of list entries does. Recursion is bounded by `depthMax`. */
export function equalJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const isList = Array.isArray(a);
  if (isList !== Array.isArray(b)) return false;
  return isList ? equalLists(a, b as readonly JsonValue[]) : equalObjects(a as JsonObject, b as JsonObject);
}

function equalLists(a: readonly JsonValue[], b: readonly JsonValue[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!equalJson(a[index]!, b[index]!)) return false;
  return true;
}

function equalObjects(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (!Object.hasOwn(b, key) || !equalJson(a[key]!, b[key]!)) return false;
  return true;
}
