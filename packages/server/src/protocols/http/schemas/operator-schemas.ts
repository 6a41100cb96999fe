import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { patternSchema, textSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false, minProperties: 1 };
const SCALAR = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
/** In camelCase, snake_case and kebab-case, and whatever begins with `$`: an object with one of these for a key is an operator, or nothing. */
const LONGER = 'equals(?:I|[-_]i)gnore(?:C|[-_]c)ase|anything(?:B|[-_]b)ut';
const NAMES = `^(?:equals|prefix|suffix|wildcard|numeric|cidr|exists|${LONGER}|\\$.*)$`;

/** The operators of filters. */
export function operatorSchemas(limits: Limits): Components {
  const text = textSchema(limits);
  const pattern = patternSchema(limits, { maxLength: limits.nameCharactersMax });
  const texts = {
    prefix: Type.Optional(oneOrSeveral(text)),
    suffix: Type.Optional(oneOrSeveral(text)),
    equalsIgnoreCase: Type.Optional(oneOrSeveral(text, spelled('equals-ignore-case'))),
    wildcard: Type.Optional(oneOrSeveral(text, { description: '`*` is any run of characters.' })),
  };
  const values = {
    ...texts,
    numeric: Type.Optional(component('NumericOperator')),
    cidr: Type.Optional(
      oneOrSeveral(Type.String({ format: 'cidr' }), { description: 'The text is an address in this block.' }),
    ),
  };
  const denied = (of: TSchema) =>
    Type.Optional(oneOrSeveral(of, { description: 'Is there and is none of these.', ...spelled('anything-but') }));
  return {
    TextOperators: operators({ ...texts, anythingBut: denied(Type.Union([text, operators(texts)])) }),
    PatternOperators: operators({ ...texts, anythingBut: denied(Type.Union([pattern, operators(texts)])) }),
    FilterValue: Type.Union(
      [
        SCALAR,
        Type.Object({ exists: Type.Boolean() }, { additionalProperties: false }),
        Type.Object({ equals: Type.Unknown() }, { additionalProperties: false }),
        operators({ ...values, anythingBut: denied(Type.Union([SCALAR, operators(values)])) }),
        Type.Record(Type.String(), Type.Unknown(), { propertyNames: { not: { pattern: NAMES } } }),
      ],
      {
        description:
          'A value, equal as JSON; or operators, of which every one has to hold. `equals` compares with an object whose keys are names of operators.',
      },
    ),
    NumericOperator: Type.Union(
      [
        tuple([Type.Enum(['=', '<', '<=', '>', '>=']), Type.Number()]),
        tuple([Type.Enum(['>', '>=']), Type.Number(), Type.Enum(['<', '<=']), Type.Number()]),
      ],
      {
        description: 'One comparison, or a range: its lower end first, and below the other.',
        examples: [['>=', 0, '<', 10]],
      },
    ),
  };
}

function operators(fields: Record<string, TSchema>): TSchema {
  return Type.Object(fields, CLOSED);
}

function oneOrSeveral(one: TSchema, options: TSchemaOptions = {}): TSchema {
  return Type.Union([one, Type.Array(one, { minItems: 1 })], options);
}

function tuple(prefixItems: readonly TSchema[]): TSchema {
  const size = prefixItems.length;
  return Type.Unsafe({ type: 'array', prefixItems, minItems: size, maxItems: size });
}
