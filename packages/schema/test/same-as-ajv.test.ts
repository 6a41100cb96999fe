import type { JsonValue } from '@event-manager/core';
import { ajvSchemas } from '@event-manager/schema';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const NAMES = ['a', 'b', 'c'] as const;
const name = fc.constantFrom(...NAMES);
const scalar = fc.oneof(fc.constantFrom(null, true, false, '', 'a', 'ab', 'b1', 0, 1, 2.5, -1));
const payload = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'payload' },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
})).value;

const count = fc.nat({ max: 3 });
const { schema } = fc.letrec<{ schema: JsonValue; some: JsonValue; named: JsonValue }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'schema' },
    fc.boolean(),
    fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'object', 'array', 'boolean', 'null') }),
    fc.record(
      {
        type: fc.subarray(['string', 'number', 'object', 'array', 'null'], { minLength: 1 }),
        enum: fc.array(payload, { minLength: 1, maxLength: 12 }),
        const: payload,
        minimum: count,
        multipleOf: fc.constantFrom(0.5, 1, 2),
        minLength: count,
        maxLength: count,
        pattern: fc.constantFrom('^a', 'b$', '^[a-z]\\d?$', ''),
        items: tie('schema'),
        prefixItems: tie('some'),
        contains: tie('schema'),
        minContains: count,
        maxContains: count,
        uniqueItems: fc.boolean(),
        minItems: count,
        maxItems: count,
        unevaluatedItems: tie('schema'),
      },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        properties: tie('named'),
        patternProperties: fc.record({ '^[ab]': tie('schema') }),
        additionalProperties: tie('schema'),
        unevaluatedProperties: tie('schema'),
        propertyNames: tie('schema'),
        required: fc.subarray([...NAMES]),
        dependentRequired: fc.dictionary(name, fc.subarray([...NAMES])),
        dependentSchemas: tie('named'),
        minProperties: count,
        maxProperties: count,
      },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        allOf: tie('some'),
        anyOf: tie('some'),
        oneOf: tie('some'),
        not: tie('schema'),
        if: tie('schema'),
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: tie('schema'),
        else: tie('schema'),
        $ref: fc.constantFrom('#/$defs/a', '#/$defs/b'),
      },
      { requiredKeys: [] },
    ),
  ),
  some: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }),
  named: fc.dictionary(name, tie('schema'), { maxKeys: 3 }),
}));

/** Where the definitions refer to nothing, so that no circle can come about. */
const root = fc
  .tuple(schema, schema, schema)
  .map(([of, a, b]) => ({ allOf: [of], $defs: { a: withoutReferences(a), b: withoutReferences(b) } }) as JsonValue);

function withoutReferences(of: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(of, (key, value: unknown) => (key === '$ref' ? undefined : value))) as JsonValue;
}

const bounded = ajvSchemas({ limits: { subschemasMax: 10_000 } });

/** The bounds must not change what a schema means: an event would be refused, or stored, that should not be. */
it('says of every payload what ajv says without bounds', () => {
  let fitting = 0;
  let checks = 0;
  fc.assert(
    fc.property(root, fc.array(payload, { minLength: 1, maxLength: 5 }), (given, payloads) => {
      const [of, values] = JSON.parse(JSON.stringify([given, payloads])) as [object, JsonValue[]];
      const plain = new Ajv2020({ strict: false, logger: false, ownProperties: true, multipleOfPrecision: 6 }).compile(
        of,
      );
      const { check } = bounded.compile(given);
      for (const value of values) {
        const fits = plain(value);
        checks++;
        if (fits) fitting++;
        expect(check(value) === undefined).toBe(fits);
      }
    }),
    // Shrinking compiles a thousand schemas; the seed repeats the case.
    { numRuns: 600, seed: 20_261_121, endOnFailure: true },
  );
  expect(fitting).toBeGreaterThan(checks / 10);
  expect(checks - fitting).toBeGreaterThan(checks / 10);
});
