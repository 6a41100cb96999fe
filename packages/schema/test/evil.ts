import type { JsonValue } from '@event-manager/core';

/** Something a stranger might send: a schema, and a payload that would be dear to hold against it. */
export interface Evil {
  readonly name: string;
  readonly schema: JsonValue;
  readonly payload: JsonValue;
}

const A = 'a'.repeat(200_000);
const a = (count: number) => 'a'.repeat(count);
const mixed = (count: number) => Array.from({ length: count }, (_, at) => 'ab'[((at * 7919) % 11) % 2]).join('');

/** Patterns that are known to stop engines which go back (OWASP, recheck, Davis et al. 2018, and reports on libraries). */
const PATTERNS: readonly string[] = [
  '^(a+)+$',
  '(a+)+b',
  '^(a|a)*$',
  '^(a|aa)+$',
  '(a|a?)+$',
  '^([a-zA-Z]+)*$',
  '(.*a){20}$',
  '(.*)*=',
  '.*.*.*.*=',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '^(a?){30}a{30}$',
  '(x+x+)+y',
  '([a-z]+)*[0-9]',
  '^(\\w+\\s?)*$',
  '^(\\d+)*$',
  '(a*)*b',
  '(a*)*(a*)*(a*)*b',
  '^(.+)+$',
  '(\\s*)*x',
  '(a{1,30}){1,30}b',
  '^([0-9]+)*x$',
  '^(?:a*)*$',
  '^((a+)+)+$',
  '(?:a|b|ab)*c',
  '^(a|b|ab)*c$',
  '^([a-z0-9]+-?)+$',
  '^([\\w.-]+)+@',
  '^(([^<>()\\[\\]\\\\.,;:\\s@"]+(\\.[^<>()\\[\\]\\\\.,;:\\s@"]+)*))@',
  '^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\\.[a-zA-Z0-9-.]+$',
  '^(https?:\\/\\/)?([\\da-z.-]+)\\.([a-z.]{2,6})([\\/\\w .-]*)*\\/?$',
  '^\\s+|\\s+$',
  '\\s*$',
  '(?:\\s+)*$',
  '^(-?\\d+)(,-?\\d+)*$',
  '<([a-z]+)([^<]+)*(?:>(.*)<\\/[a-z]+>|\\s+\\/>)',
  '^#([a-f0-9]{6}|[a-f0-9]{3})*$',
  '(\\w+)*\\.js$',
  '^(?:\\.?[a-z]+)+$',
  '^(?:.?[a-z]+)+$',
  '("[^"]*")*x',
  "('(?:[^']|'')*')*x",
  '\\((?:[^()]|\\([^()]*\\))*\\)x',
  '^(?:(?:a|b)*c)*$',
  '(?:a+b?)+c',
  '((ab)*)+c',
  '(a|b)*abb(a|b)*c',
  '^(?:[a-z]{1,5}){1,100}$',
  '[ab]*a[ab]{50}$',
  '[ab]*a[ab]{200}$',
  '[ab]*a[ab]{500}c$',
  '(a?b?){100}c',
  '(?:a{0,100}b{0,100}){0,9}c',
  '\\p{L}*\\p{L}*\\p{L}*1',
  '(\\p{L}{1,500})+1',
  '[\\p{L}\\p{N}\\p{P}]{900}',
  '(?i)(a+)+$',
  '(?s)(.*)*x',
  '(?m)^(a+)+$',
  '(a\\b)*c',
  '(\\b\\w*\\b)*x',
];

/** What RE2 does not have, or nobody: refused when the schema is given. */
const UNREADABLE: readonly string[] = [
  '(?=a+)b',
  '(?!a+)b',
  '(?<=a+)b',
  '(?<!a)b',
  '(a+)\\1',
  '(?<x>a+)\\k<x>',
  '(?>a+)b',
  'a++',
  'a{1001}',
  '(a{1000}){1000}',
  '((((a{100}){100}){100}){100})',
  '(',
  '[',
  '\\',
  'a**',
  '(?P<',
  'x{2,1}',
  a(1_001),
  `(${'a|'.repeat(600)}a)`,
  '('.repeat(1_500),
];

const nested = (depth: number, inner: JsonValue, keyword: string): JsonValue =>
  Array.from({ length: depth }).reduce<JsonValue>(
    (schema) => ({ [keyword]: keyword === 'allOf' ? [schema] : schema }),
    inner,
  );

/** Each level asks for the next twice: small on paper, without end in the check. */
function doubling(levels: number, keyword: 'allOf' | 'anyOf' | 'oneOf'): JsonValue {
  const name = (level: number) => `l${level}`;
  const entries = Array.from({ length: levels }, (_, level) => {
    const next = { $ref: `#/$defs/${name(level + 1)}` };
    return [name(level), { [keyword]: [next, next, { type: 'string' }] }];
  });
  return { $ref: '#/$defs/l0', $defs: Object.fromEntries([...entries, [name(levels), { type: 'number' }]]) };
}

function deepPayload(depth: number): JsonValue {
  return Array.from({ length: depth }).reduce<JsonValue>((inner) => ({ a: inner }), {});
}

const keys = (count: number): JsonValue => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]));
const list = <T extends JsonValue>(count: number, item: (at: number) => T): JsonValue =>
  Array.from({ length: count }, (_, at) => item(at));
const many = (count: number, schema: (at: number) => JsonValue): JsonValue => ({ allOf: list(count, schema) });

const SCHEMAS: readonly Evil[] = [
  ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((keyword) =>
    [10, 20, 30, 100].map((levels) => ({
      name: `${levels} doublings by ${keyword}`,
      schema: doubling(levels, keyword),
      payload: {},
    })),
  ),
  {
    name: 'doubling at each level of the payload',
    schema: { properties: { a: { allOf: [{ $ref: '#' }, { $ref: '#' }] } } },
    payload: deepPayload(62),
  },
  {
    name: 'tripling at each level',
    schema: { additionalProperties: { anyOf: [{ $ref: '#' }, { $ref: '#' }, { not: { $ref: '#' } }] } },
    payload: deepPayload(62),
  },
  {
    name: 'unevaluated all the way',
    schema: { allOf: [{ properties: { a: { $ref: '#' } } }], unevaluatedProperties: false },
    payload: deepPayload(62),
  },
  { name: 'a schema that is itself', schema: { $ref: '#' }, payload: {} },
  { name: 'a schema that is not itself', schema: { not: { $ref: '#' } }, payload: {} },
  {
    name: 'a long circle',
    schema: {
      $ref: '#/$defs/l0',
      $defs: Object.fromEntries(
        Array.from({ length: 100 }, (_, at) => [`l${at}`, { $ref: `#/$defs/l${(at + 1) % 100}` }]),
      ),
    },
    payload: {},
  },
  { name: 'deep schemas', schema: nested(200, { type: 'object' }, 'not'), payload: {} },
  { name: 'deep lists of schemas', schema: nested(31, { type: 'object' }, 'allOf'), payload: {} },
  {
    name: 'unique objects',
    schema: { properties: { l: { uniqueItems: true } } },
    payload: { l: list(40_000, () => ({})) },
  },
  {
    name: 'unique different objects',
    schema: { properties: { l: { uniqueItems: true } } },
    payload: { l: list(20_000, (at) => ({ at })) },
  },
  {
    name: 'unique lists',
    schema: { items: { uniqueItems: true }, properties: { l: { uniqueItems: true } } },
    payload: { l: list(30_000, (at) => [at]) },
  },
  {
    name: 'unique deep things',
    schema: { properties: { l: { uniqueItems: true } } },
    payload: { l: list(500, (at) => ({ at, deep: deepPayload(50) })) },
  },
  {
    name: 'a long enum for each item',
    schema: { properties: { l: { items: { enum: list(5_000, (at) => `value ${at}`) } } } },
    payload: { l: list(50_000, () => 'value 4999') },
  },
  {
    name: 'an enum of objects',
    schema: { properties: { l: { items: { enum: list(2_000, (at) => ({ at })) } } } },
    payload: { l: list(20_000, () => ({ at: 1_999 })) },
  },
  {
    name: 'a large const',
    schema: { properties: { l: { items: { const: keys(3_000) } } } },
    payload: { l: list(3_000, () => ({})) },
  },
  {
    name: 'contains all',
    schema: { properties: { l: { contains: { const: 1 }, minContains: 30_000, maxContains: 40_000 } } },
    payload: { l: list(60_000, () => 1) },
  },
  {
    name: 'many alternatives for each item',
    schema: { properties: { l: { items: { anyOf: list(400, (at) => ({ const: `x${at}` })) } } } },
    payload: { l: list(20_000, () => 'x399') },
  },
  {
    name: 'one of many for each item',
    schema: { properties: { l: { items: { oneOf: list(400, (at) => ({ minimum: at })) } } } },
    payload: { l: list(20_000, () => 399) },
  },
  { name: 'many counts of properties', schema: many(290, () => ({ minProperties: 1 })), payload: keys(10_000) },
  {
    name: 'many closed objects',
    schema: many(200, () => ({ additionalProperties: { type: 'number' } })),
    payload: keys(10_000),
  },
  {
    name: 'many patterns of names',
    schema: many(200, (at) => ({ patternProperties: { [`^k.*${at}$`]: { type: 'number' } } })),
    payload: keys(10_000),
  },
  { name: 'many names', schema: many(200, () => ({ propertyNames: { minLength: 1 } })), payload: keys(10_000) },
  {
    name: 'many lengths of a long text',
    schema: { properties: { t: many(290, () => ({ maxLength: 300_000 })) } },
    payload: { t: A },
  },
  {
    name: 'many lengths of a long text of pairs',
    schema: { properties: { t: many(290, () => ({ minLength: 90_000 })) } },
    payload: { t: '😀'.repeat(60_000) },
  },
  {
    name: 'many patterns for one text',
    schema: { properties: { t: many(100, (at) => ({ pattern: `[ab]*a[ab]{${at + 1}}c` })) } },
    payload: { t: mixed(2_000) },
  },
  {
    name: 'a pattern for many texts',
    schema: { properties: { l: { items: { pattern: '[ab]*a[ab]{40}c' } } } },
    payload: { l: list(2_000, () => mixed(100)) },
  },
  { name: 'too many subschemas', schema: { properties: keysOf(3_000) }, payload: {} },
  { name: 'as many subschemas as may be', schema: { properties: keysOf(290) }, payload: {} },
  {
    name: 'as many references as may be',
    schema: {
      properties: Object.fromEntries(Array.from({ length: 145 }, (_, at) => [`p${at}`, { $ref: `#/$defs/d${at}` }])),
      $defs: Object.fromEntries(Array.from({ length: 145 }, (_, at) => [`d${at}`, { type: 'object', properties: {} }])),
    },
    payload: {},
  },
  {
    name: 'a chain of references',
    schema: {
      $ref: '#/$defs/l0',
      $defs: Object.fromEntries(
        Array.from({ length: 280 }, (_, at) => [
          `l${at}`,
          at === 279 ? { type: 'string' } : { $ref: `#/$defs/l${at + 1}` },
        ]),
      ),
    },
    payload: {},
  },
  {
    name: 'unevaluated branches',
    schema: {
      anyOf: list(120, (at) => ({ properties: { a: { const: at } }, unevaluatedProperties: false })),
      unevaluatedProperties: false,
    },
    payload: { a: 119 },
  },
  { name: 'many required names', schema: { required: list(6_000, (at) => `name${at}`) }, payload: {} },
  {
    name: 'many required names, in pieces',
    schema: many(60, (piece) => ({ required: list(100, (at) => `name${piece}x${at}`) })),
    payload: {},
  },
  {
    name: 'many values, in pieces',
    schema: { properties: { t: many(60, (piece) => ({ enum: list(100, (at) => `value${piece}x${at}`) })) } },
    payload: { t: 'value0x0' },
  },
  {
    name: 'many alternatives of another type for each item',
    schema: { properties: { l: { items: { anyOf: list(250, () => ({ type: 'boolean' })) } } } },
    payload: { l: list(60_000, () => 1) },
  },
  {
    name: 'many dependent names',
    schema: { dependentRequired: Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`k${at}`, ['x']])) },
    payload: keys(2_000),
  },
  {
    name: 'the prototype',
    schema: JSON.parse('{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}') as JsonValue,
    payload: {},
  },
  { name: 'names of methods', schema: { required: ['constructor', 'hasOwnProperty', 'toString'] }, payload: {} },
  {
    name: 'code in a name',
    schema: { properties: { "'];process.exit(1);//": { type: 'string' } }, required: ["'];process.exit(1);//"] },
    payload: { "'];process.exit(1);//": 1 },
  },
  {
    name: 'code in a pattern',
    schema: {
      pattern: '"+process.exit(1)+"',
      properties: { '`+process.exit(1)+`': { const: '`+process.exit(1)+`' } },
    },
    payload: { '`+process.exit(1)+`': 1 },
  },
  { name: 'code in a const', schema: { const: '\u2028\u2029"+process.exit(1)' }, payload: {} },
  { name: 'code in an anchor', schema: { $anchor: 'a;process.exit(1)', type: 'object' }, payload: {} },
  { name: 'a long list of types', schema: { type: list(7_000, (at) => `t${at}`) }, payload: {} },
  {
    name: 'methods instead of types',
    schema: { type: [{ valueOf: 1 }, { valueOf: 1 }], required: [{ toString: 1 }, { toString: 1 }] },
    payload: {},
  },
  {
    name: 'methods in a payload',
    schema: {
      enum: [{ valueOf: 2 }],
      properties: { a: { const: { toString: 1, constructor: 1 } } },
      uniqueItems: true,
    },
    payload: { valueOf: 1, toString: 1, constructor: 1, hasOwnProperty: 1, a: { toString: 1 } },
  },
  { name: 'a remote reference', schema: { $ref: 'http://169.254.169.254/latest/meta-data' }, payload: {} },
  { name: 'numbers out of range', schema: { multipleOf: 1e-300, minLength: 1e308 }, payload: {} },
  { name: 'half a surrogate pair', schema: { properties: { '\ud800': {} }, pattern: '\ud800' }, payload: {} },
];

function keysOf(count: number): JsonValue {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`p${at}`, { type: 'string', minLength: 1, maxLength: 10 }]),
  );
}

const TEXTS: readonly string[] = [`${A}!`, `${mixed(200_000)}!`, `${a(30)}!`];

export const EVIL: readonly Evil[] = [
  ...PATTERNS.flatMap((pattern) =>
    TEXTS.map((t) => ({
      name: `${pattern} on ${t.length} characters`,
      schema: { properties: { t: { pattern } } },
      payload: { t },
    })),
  ),
  ...UNREADABLE.map((pattern) => ({
    name: `${pattern.slice(0, 40)}`,
    schema: { properties: { t: { pattern } } },
    payload: { t: A },
  })),
  ...SCHEMAS,
];
