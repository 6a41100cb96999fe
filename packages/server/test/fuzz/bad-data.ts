import { isFields } from './good-data.ts';
import { type OpenApiDocument, resolve, type Schema, type SchemaCheck } from './openapi-document.ts';

/** One thing done to good data, with what it is called. */
export interface Mutation {
  readonly what: string;
  readonly value: unknown;
  /** Another value altogether; what is off by a little says more. */
  readonly isRough?: boolean;
}

export interface Spoiler {
  readonly document: OpenApiDocument;
  readonly check: SchemaCheck;
  readonly pick: (count: number) => number;
  readonly tried: Set<string>;
}

type Put = (replacement: unknown) => unknown;

const STRANGERS: readonly unknown[] = [
  null,
  17,
  -1,
  2.5,
  true,
  'not a\u0001 word',
  '',
  [],
  ['a\u0002'],
  {},
  { colour: 'red' },
];
/** Longer lists would mostly try the network. */
const LIST_MAX = 1_000;

/**
 * One way, picked by chance, to spoil a value in one place: the wrong type, a field missing or too many, a number or a length
 * out of range, a text that breaks its pattern, a word that is none of the list. Ways that were not `tried` yet come first.
 * What the schema allows all the same is passed over, so whatever is returned has to be refused.
 */
export function spoil(
  { document, check, pick, tried }: Spoiler,
  schema: Schema,
  value: unknown,
  isUsable: (spoiled: unknown) => boolean = () => true,
): Mutation | undefined {
  const all = [...sites(document, schema, value, '', (replacement) => replacement)];
  const byWorth = Map.groupBy(all, ({ what, isRough }) => (tried.has(what) ? 'again' : isRough ? 'rough' : 'fine'));
  for (const worth of ['fine', 'rough', 'again'] as const) {
    const mutations = byWorth.get(worth) ?? [];
    while (mutations.length > 0) {
      const [mutation] = mutations.splice(pick(mutations.length), 1);
      tried.add(mutation!.what);
      if (isUsable(mutation!.value) && check.fault(schema, mutation!.value) !== undefined) return mutation;
    }
  }
  return undefined;
}

function* sites(document: OpenApiDocument, given: Schema, value: unknown, at: string, put: Put): Iterable<Mutation> {
  const schema = resolve(document, given);
  const name = at === '' ? 'the whole' : at;
  for (const stranger of STRANGERS) {
    yield { what: `${name} as ${JSON.stringify(stranger)}`, value: put(stranger), isRough: true };
  }
  for (const part of schema.anyOf ?? []) yield* sites(document, part, value, at, put);
  if (typeof value === 'number') yield* numbers(schema, name, put);
  if (typeof value === 'string') yield* texts(schema, value, name, put);
  if (Array.isArray(value)) yield* lists(document, schema, value, at, put);
  if (isFields(value)) yield* objects(document, schema, value, at, put);
}

function* numbers({ minimum, maximum, type }: Schema, name: string, put: Put): Iterable<Mutation> {
  if (minimum !== undefined) yield { what: `${name} below ${minimum}`, value: put(minimum - 1) };
  if (maximum !== undefined) yield { what: `${name} above ${maximum}`, value: put(maximum + 1) };
  if (type === 'integer') yield { what: `${name} with a fraction`, value: put((minimum ?? 0) + 0.5) };
}

function* texts({ maxLength, pattern, format }: Schema, value: string, name: string, put: Put): Iterable<Mutation> {
  if (maxLength !== undefined) yield { what: `${name} too long`, value: put('a'.repeat(maxLength + 1)) };
  if (pattern !== undefined || format !== undefined) {
    for (const part of ['\u0007', '*x', '..', ' ', '#'])
      yield { what: `${name} with ${JSON.stringify(part)}`, value: put(value + part) };
  }
}

function* lists(document: OpenApiDocument, schema: Schema, value: unknown[], at: string, put: Put): Iterable<Mutation> {
  const { items = {}, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (minItems > 0) yield { what: `${at} too short`, value: put(value.slice(0, minItems - 1)) };
  if (maxItems <= LIST_MAX && value.length > 0) {
    yield { what: `${at} too long`, value: put(Array.from({ length: maxItems + 1 }, () => value[0])) };
  }
  for (const [index, entry] of value.entries()) {
    yield* sites(document, items, entry, `${at}/${index}`, (replacement) => put(value.with(index, replacement)));
  }
}

function* objects(
  document: OpenApiDocument,
  schema: Schema,
  value: Record<string, unknown>,
  at: string,
  put: Put,
): Iterable<Mutation> {
  const { properties = {}, required = [], propertyNames, additionalProperties } = schema;
  for (const name of required) {
    const { [name]: _removed, ...rest } = value;
    yield { what: `${at}/${name} missing`, value: put(rest) };
  }
  if (additionalProperties === false)
    yield { what: `${at} with a field too many`, value: put({ ...value, 'un known': 1 }) };
  if (propertyNames) yield { what: `${at} with a key that breaks its pattern`, value: put({ ...value, 'a b': 'c' }) };
  for (const [name, field] of Object.entries(value)) {
    const property = properties[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (!property) continue;
    yield* sites(document, property, field, `${at}/${name}`, (replacement) => put({ ...value, [name]: replacement }));
  }
}

/** Values of a query parameter that it must not have, as they are written in an address. */
export function badParameterValues(document: OpenApiDocument, check: SchemaCheck, given: Schema): readonly string[] {
  const schema = resolve(document, given);
  if (schema.type === 'array') return badParameterValues(document, check, schema.items ?? {});
  if (schema.contentSchema) return ['{', '[]', '"x"', '{"colour":1}', '{"types":[]}', '{"priority":7}'];
  if (schema.format?.endsWith('-cursor')) return ['x', 'AAAA', '*', '0'.repeat(9_000)];
  const isNumber = (text: string) => /^-?\d+$/.test(text);
  const far = [schema.minimum, schema.maximum].map((edge, index) => String((edge ?? 0) + (index === 0 ? -1 : 1)));
  const candidates = [
    '',
    'nonsense',
    'a\u0007',
    'a..b',
    'a*',
    '1.5',
    '\u0000',
    'x'.repeat((schema.maxLength ?? 300) + 1),
    ...far,
  ];
  return candidates.filter((text) => {
    const readings: unknown[] = isNumber(text) ? [text, Number(text)] : [text];
    return readings.every((reading) => check.fault(given, reading) !== undefined);
  });
}
