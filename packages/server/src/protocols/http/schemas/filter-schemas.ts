import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { type Components, spelled } from './component.ts';
import { patternSchema, prioritySchema, textSchema } from './text-schemas.ts';

const PRIORITIES_MAX = 4;

export function filterSchemas(limits: Limits): Components {
  const maxItems = limits.filterEntriesMax;
  const text = textSchema(limits);
  const type = patternSchema(limits, { maxLength: limits.nameCharactersMax });
  const list = (entry: TSchema, minItems: number, options: TSchemaOptions = {}) =>
    Type.Optional(Type.Array(entry, { minItems, maxItems, ...options }));
  const filter = Type.Object(
    {
      types: list(type, 1, { description: 'Patterns over the type; any of them.', ...spelled('eventTypes') }),
      includeTypes: list(type, 1),
      excludeTypes: list(type, 0),
      sources: list(text, 1),
      tags: list(text, 0, { description: 'All of them.' }),
      priority: Type.Optional(
        Type.Union([prioritySchema(), Type.Array(prioritySchema(), { minItems: 1, maxItems: PRIORITIES_MAX })], {
          description: 'One is the least urgent that passes; a list is exactly those.',
          ...spelled('minimumPriority'),
        }),
      ),
      metadata: Type.Optional(values('Of the metadata')),
      payload: Type.Optional(values('Of the payload')),
    },
    {
      additionalProperties: false,
      description: `Every field has to pass. Holds at most ${maxItems} values in all.`,
      examples: [{ priority: 'HIGH', payload: { 'customer.country': ['DE', 'AT'] } }],
    },
  );
  return { Filter: filter };
}

/** Keys with the values they may have. */
function values(of: string): TSchema {
  const single = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
  const wanted = Type.Union([
    single,
    Type.Record(Type.String(), Type.Unknown()),
    Type.Array(Type.Unknown(), { minItems: 1 }),
  ]);
  const description = `${of}, by path: a value, or a list of values of which one is equal. Operators are not supported yet.`;
  return Type.Record(Type.String(), wanted, { description });
}
