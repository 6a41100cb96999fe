import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { operatorSchemas } from './operator-schemas.ts';
import { patternSchema, prioritySchema, textSchema, wholeSchema } from './text-schemas.ts';

const PRIORITIES_MAX = 4;
const CLOSED = { additionalProperties: false };
/** Attempts a minute. */
const RATE_MAX = 1_000_000;
const SAME_OPTION = 'The option of the same name, which says nothing else where it is given, too.';

export function filterSchemas(limits: Limits): Components {
  const clauses = clauseFields(limits);
  const maxItems = limits.filterEntriesMax;
  const fields = {
    ...clauses,
    or: Type.Optional(alternatives('FilterAlternative', maxItems)),
    criticalAlways: flag('CRITICAL events pass whatever priority, types and relevance are wanted.', 'includeCritical'),
  };
  const description = `Every field has to pass. Holds at most ${maxItems} values and ${limits.filterCharactersMax} characters in all.`;
  return {
    Filter: Type.Object(
      {
        ...fields,
        rateLimitPerMinute: Type.Optional(
          wholeSchema(0, RATE_MAX, { description: SAME_OPTION, ...spelled('rateLimit') }),
        ),
        smartBatching: flag(SAME_OPTION, 'batchingEnabled'),
      },
      {
        ...CLOSED,
        description,
        examples: [
          { priority: 'HIGH', payload: { 'customer.country': ['DE', 'AT'], total: { numeric: ['>=', 100] } } },
        ],
      },
    ),
    StreamFilter: Type.Object(fields, { ...CLOSED, description }),
    FilterAlternative: Type.Object(
      { ...clauses, or: Type.Optional(alternatives('FilterClauses', maxItems)) },
      { ...CLOSED, description: 'One of several filters of which one has to pass.' },
    ),
    FilterClauses: Type.Object(clauses, { ...CLOSED, description: 'An alternative of an alternative.' }),
    ...operatorSchemas(limits),
  };
}

function clauseFields(limits: Limits): Record<string, TSchema> {
  const text = Type.Union([textSchema(limits), component('TextOperators')]);
  const type = Type.Union([
    patternSchema(limits, { maxLength: limits.nameCharactersMax }),
    component('PatternOperators'),
  ]);
  const list = (entry: TSchema, minItems: number, options: TSchemaOptions = {}) =>
    Type.Optional(Type.Array(entry, { minItems, maxItems: limits.filterEntriesMax, ...options }));
  return {
    types: list(type, 1, {
      description: 'Patterns over the type, or operators; any of them.',
      ...spelled('eventTypes'),
    }),
    includeTypes: list(type, 1),
    excludeTypes: list(type, 0),
    sources: list(text, 1),
    topics: list(type, 1, { description: 'Patterns over the topic, or operators; any of them.', ...spelled('topic') }),
    tags: list(text, 0, { description: 'All of them.' }),
    priority: Type.Optional(
      Type.Union([prioritySchema(), Type.Array(prioritySchema(), { minItems: 1, maxItems: PRIORITIES_MAX })], {
        description: 'One is the least urgent that passes; a list is exactly those.',
        ...spelled('minimumPriority'),
      }),
    ),
    metadata: Type.Optional(values('Of the metadata')),
    payload: Type.Optional(values('Of the payload')),
    userRelevant: flag('Of a user or project of the context.', 'userContext', 'includeUserContext'),
    projectScoped: flag('Of a project of the context.', 'projectContext', 'includeProjectContext'),
    sessionScoped: flag('Of a session of the context.', 'sessionContext', 'includeSessionContext'),
    excludeSystemEvents: flag('No types under `system`, `metrics` and `log`, unless CRITICAL.'),
    excludeSystemHeartbeat: flag('No `system.heartbeat`.'),
  };
}

function alternatives(name: string, maxItems: number): TSchema {
  const description = 'Filters of which one has to pass, too.';
  return Type.Array(component(name), { minItems: 1, maxItems, description, ...spelled('$or') });
}

function flag(description: string, ...others: string[]): TSchema {
  return Type.Optional(Type.Boolean({ description, ...(others.length === 0 ? {} : spelled(...others)) }));
}

/** Keys with what their values may be. */
function values(of: string): TSchema {
  const wanted = Type.Union([
    component('FilterValue'),
    Type.Array(Type.Union([component('FilterValue'), Type.Array(Type.Unknown())]), { minItems: 1 }),
  ]);
  const description = `${of}, by path: a value or operators, or a list of them of which one has to pass.`;
  // Alternatives are whole filters.
  return Type.Record(Type.String(), wanted, { description, propertyNames: { not: { enum: ['or', '$or'] } } });
}
