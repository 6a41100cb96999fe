import { type JsonValue, parseJson } from '@event-manager/core';
import { ajvSchemas } from '@event-manager/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const schemas = ajvSchemas();
const ORDER: JsonValue = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://example.com/order.schema.json',
  type: 'object',
  required: ['id', 'items'],
  properties: {
    id: { type: 'string', pattern: '^[A-Z]{2}-\\d{4}$' },
    items: { type: 'array', minItems: 1, items: { $ref: '#/$defs/item' } },
    placedAt: { type: 'string', format: 'date-time' },
  },
  additionalProperties: false,
  $defs: {
    item: { type: 'object', properties: { price: { type: 'number', multipleOf: 0.01, minimum: 0 } }, 'x-note': 'ours' },
  },
};

const violation = (schema: JsonValue, payload: JsonValue) => schemas.compile(schema).check(payload);
const refusal = (schema: JsonValue): { code?: string; details?: { pointer?: string } } => {
  try {
    schemas.compile(schema);
  } catch (error) {
    return error as object;
  }
  return {};
};

describe('a compiled schema', () => {
  it('lets pass what fits and names the place of the first thing that does not', () => {
    const { check } = schemas.compile(ORDER);
    const order = (more: object) => ({ id: 'AB-1234', items: [{ price: 19.99 }], ...more }) as JsonValue;
    expect(check(order({}))).toBeUndefined();
    expect(check(order({ placedAt: '2026-11-20T10:00:00Z' }))).toBeUndefined();
    const at = (more: object) => check(order(more))?.pointer;
    expect(at({ id: 'ab-1234' })).toBe('/id');
    expect(at({ items: [{ price: 1 }, { price: -1 }] })).toBe('/items/1/price');
    expect(at({ items: [] })).toBe('/items');
    expect(at({ 'a/b~c': 1 })).toBe('/a~1b~0c');
    expect(at({ placedAt: 'yesterday' })).toBe('/placedAt');
    expect(check({ id: 'AB-1234' })).toEqual({ pointer: '/items', reason: "must have required property 'items'" });
    expect(violation(true, {})).toBeUndefined();
    expect(violation(false, {})?.pointer).toBe('');
  });

  it('names the alternative as a whole, and the branch of a condition that applied', () => {
    expect(violation({ properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] } } }, { a: 1 })?.pointer).toBe(
      '/a',
    );
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    const conditional = { if: { required: ['a'] }, then: { properties: { b: { type: 'string' } } } };
    expect(violation(conditional, { a: 1, b: 1 })?.pointer).toBe('/b');
  });

  it('changes nothing of a payload: no defaults, no coercion, nothing removed', () => {
    const payload = { a: '1', c: 2 };
    const schema = { properties: { a: { type: 'string' }, b: { default: 7 } } };
    expect(violation(schema, payload)).toBeUndefined();
    expect(payload).toEqual({ a: '1', c: 2 });
    expect(violation({ properties: { a: { type: 'integer' } } }, payload)?.pointer).toBe('/a');
  });

  it('knows only the properties of the payload itself', () => {
    expect(violation({ required: ['constructor'] }, {})).toBeDefined();
    expect(
      violation({ properties: { toString: { type: 'string' } }, additionalProperties: false }, {}),
    ).toBeUndefined();
    const given = parseJson('{"toString":1}', { depthMax: 9 });
    expect(violation({ properties: { toString: { type: 'string' } } }, given)?.pointer).toBe('/toString');
  });

  it('compares values, whatever the names of their properties are', () => {
    const strange = parseJson('{"valueOf":1,"toString":{"constructor":[0]},"constructor":null}', { depthMax: 9 });
    for (const schema of [{ const: strange }, { enum: [1, 'a', strange] }] as JsonValue[]) {
      expect(violation(schema, JSON.parse(JSON.stringify(strange)))).toBeUndefined();
      expect(violation(schema, { valueOf: 1 })).toMatchObject({ pointer: '' });
    }
    expect(violation({ const: {} }, strange)).toBeDefined();
    expect(violation({ enum: [{}, []] }, strange)).toBeDefined();
    expect(violation({ uniqueItems: true }, [strange, {}])).toBeUndefined();
    expect(violation({ const: 0 }, -0)).toBeUndefined();
    expect(violation({ enum: ['1', true] }, 1)).toBeDefined();
  });

  it('finds equal items by value, whatever the order of their keys', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }), (items) => {
        const values = items.map((item) => JSON.parse(JSON.stringify(item)) as JsonValue);
        const texts = values.map((value) => JSON.stringify(sorted(value)));
        const isUnique = new Set(texts).size === texts.length;
        expect(violation({ uniqueItems: true }, values) === undefined).toBe(isUnique);
      }),
    );
    expect(
      violation({ uniqueItems: true }, [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ]),
    ).toBeDefined();
    expect(violation({ uniqueItems: false }, [1, 1])).toBeUndefined();
  });
});

describe('what a schema may not be', () => {
  it.each<[string, JsonValue, string]>([
    ['a keyword of an older draft', { items: {}, dependencies: {} }, '/dependencies'],
    ['a mistyped keyword', { properties: { a: { typ: 'string' } } }, '/properties/a/typ'],
    ['a wrong type', { type: 'strin' }, '/type'],
    ['a value of the wrong kind', { properties: { a: { maxLength: -1 } } }, '/properties/a/maxLength'],
    ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, '/$schema'],
    ['a reference to elsewhere', { $ref: 'https://example.com/other.json' }, '/$ref'],
    ['a file', { $ref: 'file:///etc/passwd' }, '/$ref'],
    ['a reference to nothing', { properties: { a: { $ref: '#/$defs/b' } } }, '/properties/a/$ref'],
    ['a reference to what is no schema', { $ref: '#/default', default: { type: 'string' } }, '/$ref'],
    ['a reference that is no text', { $ref: '#/%' }, '/$ref'],
    ['dynamic references', { $dynamicRef: '#meta' }, '/$dynamicRef'],
    ['an inner $id', { properties: { a: { $id: 'x' } } }, '/properties/a/$id'],
    ['values from the payload', { properties: { a: { const: { $data: '1/b' } } }, $data: 'x' }, '/$data'],
    ['an unknown format', { format: 'regex' }, '/format'],
    ['looking ahead', { pattern: '(?=a)b' }, '/pattern'],
    ['looking behind', { pattern: '(?<!a)b' }, '/pattern'],
    ['a reference to a group', { pattern: '(a)\\1' }, '/pattern'],
    ['what is no pattern', { patternProperties: { '(': {} } }, '/patternProperties/('],
    ['a list instead of schemas', { properties: [] }, '/properties'],
    ['a schema that is itself', { $ref: '#' }, ''],
    [
      'a circle',
      { $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } },
      '/$defs/a',
    ],
  ])('%s', (_what, schema, pointer) => {
    expect(refusal(schema)).toMatchObject({ code: 'invalid_schema', details: { pointer } });
  });

  it('is told what it may be: a tree that refers to itself further down', () => {
    const tree = { type: 'object', properties: { value: { type: 'number' }, next: { $ref: '#' } } };
    expect(violation(tree, { value: 1, next: { value: 2, next: {} } })).toBeUndefined();
    expect(violation(tree, { next: { next: { value: 'x' } } })?.pointer).toBe('/next/next/value');
    const anchored = { $defs: { a: { $anchor: 'name', type: 'string' } }, properties: { b: { $ref: '#name' } } };
    expect(violation(anchored, { b: 1 })?.pointer).toBe('/b');
  });
});

function sorted(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry as JsonValue)]),
  );
}
