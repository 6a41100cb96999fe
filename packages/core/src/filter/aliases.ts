import { fieldTable } from '../json/read-fields.ts';

const CLAUSES = [
  'types',
  'sources',
  'topics',
  'priority',
  'metadata',
  'payload',
  'tags',
  'includeTypes',
  'excludeTypes',
  'userRelevant',
  'projectScoped',
  'sessionScoped',
  'excludeSystemEvents',
  'excludeSystemHeartbeat',
  'or',
];

export const CLAUSE_SPELLINGS = {
  minimumPriority: 'priority',
  eventTypes: 'types',
  topic: 'topics',
  userContext: 'userRelevant',
  includeUserContext: 'userRelevant',
  projectContext: 'projectScoped',
  includeProjectContext: 'projectScoped',
  sessionContext: 'sessionScoped',
  includeSessionContext: 'sessionScoped',
  $or: 'or',
} as const;

export const FILTER_SPELLINGS = {
  ...CLAUSE_SPELLINGS,
  includeCritical: 'criticalAlways',
  rateLimit: 'rateLimitPerMinute',
  batchingEnabled: 'smartBatching',
} as const;

/** Every spelling of a filter's fields, in camelCase (snake_case is understood everywhere). */
export const FILTER_FIELDS = fieldTable(
  [...CLAUSES, 'criticalAlways', 'rateLimitPerMinute', 'smartBatching'],
  FILTER_SPELLINGS,
);

/** The same for one alternative of `or`. */
export const ALTERNATIVE_FIELDS = fieldTable(CLAUSES, CLAUSE_SPELLINGS);
