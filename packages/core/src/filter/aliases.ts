import { fieldTable } from '../json/read-fields.ts';

/**
 * Every spelling of a filter's fields, in camelCase (snake_case is understood everywhere). What later versions will
 * understand is listed too: a filter must not quietly let through what its author wanted kept out.
 */
export const FILTER_FIELDS = fieldTable(
  ['types', 'sources', 'priority', 'metadata', 'payload', 'tags', 'includeTypes', 'excludeTypes'],
  { minimumPriority: 'priority', eventTypes: 'types' },
  [
    'userRelevant',
    'userContext',
    'includeUserContext',
    'projectScoped',
    'projectContext',
    'includeProjectContext',
    'sessionScoped',
    'criticalAlways',
    'includeCritical',
    'excludeSystemEvents',
    'excludeSystemHeartbeat',
    'rateLimitPerMinute',
    'batchingEnabled',
    'smartBatching',
  ],
);

/** A key that makes an object an operator once filters have operators. */
const OPERATORS: ReadonlySet<string> = new Set([
  'prefix',
  'suffix',
  'anything-but',
  'anythingBut',
  'anything_but',
  'numeric',
  'exists',
  'equals-ignore-case',
  'equalsIgnoreCase',
  'equals_ignore_case',
  'cidr',
  'or',
  '$or',
]);

/** True for `{prefix: "a"}` and the like: taken literally today, such a filter would change its meaning later. */
export function looksLikeOperator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && OPERATORS.has(keys[0]!);
}
