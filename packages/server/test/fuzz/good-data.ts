import fc from 'fast-check';
import { type OpenApiDocument, resolve, type Schema } from './openapi-document.ts';

/** What a generator cannot make up, because the service has to know it. */
export interface Known {
  /** A cursor that the service gave: of the log, or of a list. */
  cursor(format: string): string;
  /** A URL that may be called. */
  endpoint(): string;
  /** The name of a subscription. */
  subscription(): string;
}

const WORD = fc.stringMatching(/^[a-z][a-z0-9_-]{0,11}$/);
const LEVELS = fc.array(fc.oneof(WORD, fc.constantFrom('*', '+', '#'), fc.string({ unit: 'grapheme', maxLength: 5 })), {
  minLength: 1,
  maxLength: 6,
});
const TEXT = fc.oneof(
  { weight: 4, arbitrary: WORD },
  {
    weight: 3,
    arbitrary: LEVELS.chain((levels) => fc.constantFrom('.', '/').map((separator) => levels.join(separator))),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 512 }).map((length) => 'x'.repeat(length)) },
);
/** What no JSON that is to survive holds, and keys that a filter takes for operators; the document says it in words. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]|__proto__|"\$/i;
const STRUCTURE = fc.jsonValue({ maxDepth: 4 }).filter((value) => !UNSTORABLE.test(JSON.stringify(value)));
const KEY = fc
  .oneof(WORD, fc.string({ unit: 'grapheme', maxLength: 12 }))
  .filter((key) => !/__proto__|\0|^or$|^\$/.test(key));

const JSON_SCHEMAS = [
  true,
  {},
  { type: 'object' },
  { type: 'object', properties: { total: { type: 'number', minimum: 0 } }, required: ['total'] },
  { $defs: { name: { type: 'string', pattern: '^[a-z]+$' } }, properties: { name: { $ref: '#/$defs/name' } } },
];

const SAMPLES = 500;
const MANY_FIELDS = 12;
const FIELDS_AT_A_TIME = 4;

/** Makes values that a schema allows. Patterns with more than one alternative are met by trying: every one allows some word. */
export class GoodData {
  readonly #document: OpenApiDocument;
  readonly #known: Known;
  readonly #made = new Map<Schema, fc.Arbitrary<unknown>>();

  constructor(document: OpenApiDocument, known: Known) {
    this.#document = document;
    this.#known = known;
  }

  of(schema: Schema): fc.Arbitrary<unknown> {
    let made = this.#made.get(schema);
    if (!made) {
      made = this.#make(resolve(this.#document, schema));
      this.#made.set(schema, made);
    }
    return made;
  }

  #make(schema: Schema): fc.Arbitrary<unknown> {
    if (schema.format === 'json-schema') return fc.constantFrom(...JSON_SCHEMAS);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.anyOf) return fc.oneof(...schema.anyOf.map((part) => this.of(part)));
    switch (schema.type) {
      case 'string':
        return this.#text(schema);
      case 'integer':
        return fc.integer({ min: schema.minimum ?? -(2 ** 47), max: schema.maximum ?? 2 ** 47 });
      case 'number':
        return fc.double({
          min: schema.minimum ?? -1e9,
          max: schema.maximum ?? 1e9,
          noNaN: true,
          noDefaultInfinity: true,
        });
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array':
        return this.#list(schema);
      case 'object':
        return this.#object(schema);
      default:
        return STRUCTURE;
    }
  }

  #text(schema: Schema): fc.Arbitrary<string> {
    const { format, pattern, minLength = 0, maxLength = 60, contentSchema } = schema;
    if (contentSchema)
      return this.of(contentSchema)
        .map((value) => JSON.stringify(value))
        .filter(isOfFewObjects);
    if (format === 'cidr') return fc.constantFrom('10.0.0.0/8', '192.0.2.7/32', '::/0', '2001:db8::/33');
    if (format === 'uuid') return fc.uuid();
    if (format === 'uri') return WORD.map(() => this.#known.endpoint());
    if (format?.endsWith('-cursor')) return WORD.map(() => this.#known.cursor(format));
    if (format === 'subscription-name') return WORD.map(() => this.#known.subscription());
    if (format === 'date-time') {
      const moment = fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
      return fc
        .tuple(moment, fc.constantFrom('Z', 'z', '+05:30', '-11:00'))
        .map(([at, zone]) => at.toISOString().replace('Z', zone));
    }
    const fits = (text: string) => text.length >= minLength && text.length <= maxLength && !text.includes('\0');
    if (pattern === undefined) return TEXT.filter(fits);
    const expression = new RegExp(pattern, 'u');
    // One that begins with a fixed text is met by none of the words.
    const isMet = fc.sample(TEXT, { numRuns: SAMPLES, seed: 1 }).some((text) => expression.test(text));
    const source = isMet ? TEXT : fc.stringMatching(new RegExp(pattern));
    return source.filter((text) => fits(text) && expression.test(text));
  }

  #list({ items = {}, prefixItems, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: Schema): fc.Arbitrary<unknown> {
    if (prefixItems) return fc.tuple(...prefixItems.map((item) => this.of(item))).map(inOrder);
    return fc.array(this.of(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 4) });
  }

  #object(schema: Schema): fc.Arbitrary<unknown> {
    const { properties = {}, required = [], propertyNames, additionalProperties, minProperties = 0 } = schema;
    const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, this.of(field)]));
    const known = fieldsOf(fields, required);
    const values = typeof additionalProperties === 'object' ? this.of(additionalProperties) : STRUCTURE;
    const keys = propertyNames ? WORD.map((word) => `x-${word}`) : KEY;
    const more = additionalProperties === false ? undefined : fc.dictionary(keys, values, { maxKeys: 4 });
    const both = more ? fc.tuple(more, known).map(([others, own]) => ({ ...others, ...own })) : known;
    // Without a prototype it would be told apart from what is parsed.
    return both.map((value) => ({ ...value })).filter((value) => Object.keys(value).length >= minProperties);
  }
}

/** Of a great many fields only a few at a time: filters within filters would have no end. */
function fieldsOf(fields: Record<string, fc.Arbitrary<unknown>>, required: readonly string[]): fc.Arbitrary<Fields> {
  const names = Object.keys(fields);
  const requiredKeys = required.filter((name) => name in fields);
  if (names.length <= MANY_FIELDS) return fc.record(fields, { requiredKeys });
  return fc.subarray(names, { maxLength: FIELDS_AT_A_TIME }).chain((some) => {
    const present = [...new Set([...some, ...requiredKeys])];
    return fc.record(Object.fromEntries(present.map((name) => [name, fields[name]!])));
  });
}

/** A range of numbers has its lower end first. */
function inOrder(entries: unknown[]): unknown[] {
  const [first, low, second, high] = entries;
  if (typeof low !== 'number' || typeof high !== 'number') return entries;
  return [first, Math.min(low, high), second, Math.max(low, high) + 1];
}

/** A filter compares with at most thirty; the document says it in words. */
function isOfFewObjects(json: string): boolean {
  return json.split('{').length <= 30;
}

type Fields = Record<string, unknown>;

/** What the schemas say in words only: of two fields that depend on each other, the second is put right. */
export function putRight(value: unknown, unique: () => string): unknown {
  if (!isFields(value)) return value;
  const { filter, options } = value;
  // What both say has to be the same.
  if (isFields(filter) && isFields(options)) {
    for (const name of ['rateLimitPerMinute', 'smartBatching']) if (options[name] !== undefined) delete filter[name];
  }
  if (isFields(filter) && !isOfFewObjects(JSON.stringify(filter))) delete value['filter'];
  // Nobody publishes while somebody waits.
  if (typeof value['waitMs'] === 'number') value['waitMs'] = Math.min(value['waitMs'], 3);
  // How long its JSON may be is said in words.
  if ('deliveries' in value && isFields(value['metadata'])) value['metadata'] = { printer: 3 };
  putWayRight(value);
  if (typeof value['name'] === 'string') value['name'] = `${value['name'].slice(0, 200)} ${unique()}`;
  if (!isFields(options)) return value;
  putDependentsRight(options);
  if (options['inFlightMax'] !== undefined || options['batchSize'] !== undefined) {
    const { batchSize = 1, inFlightMax = 1_000 } = options as Record<string, number>;
    Object.assign(options, { batchSize: Math.min(batchSize, inFlightMax), inFlightMax });
  }
  const { retryPolicy } = options;
  if (isFields(retryPolicy) && typeof retryPolicy['maxDelay'] === 'number') {
    retryPolicy['maxDelay'] = Math.max(
      retryPolicy['maxDelay'],
      (retryPolicy['initialDelay'] as number | undefined) ?? 1_000,
    );
  }
  return value;
}

/** An option that would change nothing beside the others is refused. */
function putDependentsRight(options: Fields): void {
  if (options['agingMs'] !== undefined) {
    options['order'] = 'none';
    delete options['orderingKey'];
    delete options['onFailure'];
  }
  if (options['orderingKey'] !== undefined) options['order'] = 'key';
  if (options['onFailure'] !== undefined && (options['order'] ?? 'none') === 'none') options['order'] = 'topic';
  if (options['flushIntervalMs'] !== undefined) {
    const { batchSize = 2, inFlightMax = 1_000 } = options as Record<string, number>;
    Object.assign(options, { batchSize: Math.max(2, batchSize), inFlightMax: Math.max(2, inFlightMax) });
  }
}

const CONNECTION = ['heartbeatMs', 'reconnectAttempts', 'bufferSize', 'compression'];

/** How a subscription is reached is said in several fields, at two places, and they must not contradict each other. */
function putWayRight(value: Fields): void {
  const options = isFields(value['options']) ? value['options'] : {};
  const drop = (from: Fields, ...names: string[]) => {
    for (const name of names) delete from[name];
  };
  drop(options, 'realtime', 'fallbackWebhook');
  const { endpoint, realtime, fallbackWebhook } = value;
  if (typeof endpoint !== 'string') {
    drop(options, ...CONNECTION);
    if (realtime !== true || fallbackWebhook === false) drop(value, 'realtime', 'fallbackWebhook');
    if (isFields(fallbackWebhook)) drop(value, 'secret', 'headers');
  } else if (CONNECTION.some((name) => name in options)) {
    drop(value, 'realtime', 'connectionType');
    value['endpoint'] = endpoint.replace(/^http/, 'ws');
  } else {
    drop(value, 'fallbackWebhook');
    if (realtime !== true) drop(value, 'connectionType');
  }
}

/** The same fields, some of them in another spelling that the document lists, or in snake_case. */
export function respell(
  document: OpenApiDocument,
  given: Schema,
  value: unknown,
  pick: (count: number) => number,
): unknown {
  const schema = resolve(document, given);
  if (Array.isArray(value)) return value.map((entry) => respell(document, schema.items ?? {}, entry, pick));
  if (!isFields(value)) return value;
  const { properties } = schema.anyOf?.map((part) => resolve(document, part)).find((part) => part.properties) ?? schema;
  if (!properties) return value;
  const spelled: Fields = {};
  for (const [name, field] of Object.entries(value)) {
    const property = properties[name];
    const spellings = property ? spellingsOf(name, property) : [name];
    const key = spellings[pick(spellings.length)]!;
    spelled[key] = property ? respell(document, property, field, pick) : field;
  }
  return spelled;
}

export function spellingsOf(name: string, schema: Schema): readonly string[] {
  const listed = [name, ...(schema['x-other-spellings'] ?? [])];
  return [
    ...new Set([...listed, ...listed.map((one) => one.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))]),
  ];
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
