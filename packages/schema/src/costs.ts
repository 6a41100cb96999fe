import type { JsonObject, JsonValue } from '@event-manager/core';
import type { Effort } from './effort.ts';
import { FOR_EACH_PROPERTY, KEYWORDS } from './keywords.ts';

/** The keyword that is put into every subschema; no schema may have it of its own. */
export const COSTS = 'event-manager-costs';

/** What one visit of a subschema costs. */
export interface Costs {
  /** In any case: its keywords, and the values that they compare with. */
  readonly own: number;
  /** True when it looks at every property of an object. */
  readonly eachProperty: boolean;
}

/** A copy of the schema in which every subschema says what it costs. `$id` and `$schema` are left out: they were dealt with. */
export function withCosts(schema: JsonValue): JsonValue {
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy: Record<string, JsonValue> = {};
  let own = 1;
  for (const [keyword, value] of Object.entries(schema as JsonObject)) {
    const kind = KEYWORDS.get(keyword);
    if (kind === undefined || kind === 'annotation' || keyword === '$id' || keyword === '$schema') continue;
    own += 1 + ownCost(keyword, kind, value);
    copy[keyword] = copyOf(kind, value);
  }
  const eachProperty = FOR_EACH_PROPERTY.some((keyword) => Object.hasOwn(copy, keyword));
  copy[COSTS] = { own, eachProperty };
  return copy;
}

/** Alternatives that are of another type end before they pay for themselves. */
function ownCost(keyword: string, kind: string, value: JsonValue): number {
  // One look into a set, however many there are.
  if (keyword === 'enum' || keyword === 'const') return 1;
  if (kind === 'values') return valuesIn(value);
  return kind === 'schemas' ? (value as readonly JsonValue[]).length : 0;
}

function copyOf(kind: string, value: JsonValue): JsonValue {
  if (kind === 'schema') return withCosts(value);
  if (kind === 'schemas') return (value as readonly JsonValue[]).map(withCosts);
  if (kind !== 'named-schemas') return value;
  return Object.fromEntries(Object.entries(value as JsonObject).map(([name, entry]) => [name, withCosts(entry)]));
}

/** Pays for one visit, with what the size of the value adds. */
export function pay({ own, eachProperty }: Costs, effort: Effort, value: unknown): void {
  let steps = own;
  if (typeof value === 'string') steps += value.length / 16;
  else if (Array.isArray(value)) steps += value.length / 4;
  else if (eachProperty && typeof value === 'object' && value !== null) for (const _ in value) steps += 4;
  effort.spend(steps);
}

function valuesIn(value: JsonValue): number {
  if (typeof value === 'string') return 1 + value.length / 16;
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, entry) => sum + valuesIn(entry as JsonValue), 1);
}
