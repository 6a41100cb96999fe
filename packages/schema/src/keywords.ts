/** What stands behind a keyword. */
export type KeywordValue =
  /** One schema. */
  | 'schema'
  /** A list of schemas. */
  | 'schemas'
  /** Schemas by name. */
  | 'named-schemas'
  /** A name or reference, looked at by itself. */
  | 'reference'
  /** Values that payloads are compared with, or numbers. */
  | 'values'
  /** Says something to people and checks nothing. */
  | 'annotation';

/**
 * The keywords of JSON Schema 2020-12 (json-schema.org/draft/2020-12) that are understood. Not among them: `$dynamicRef` and its
 * kin, which are for meta-schemas, and keywords of older drafts, which would silently check nothing.
 */
export const KEYWORDS: ReadonlyMap<string, KeywordValue> = new Map<string, KeywordValue>([
  ...of('schema', 'additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else', 'items'),
  ...of('schema', 'unevaluatedItems', 'unevaluatedProperties'),
  ...of('schemas', 'allOf', 'anyOf', 'oneOf', 'prefixItems'),
  ...of('named-schemas', 'properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'),
  ...of('reference', '$ref', '$anchor', '$id', '$schema', 'pattern', 'format'),
  ...of('values', 'type', 'enum', 'const', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'),
  ...of('values', 'maxLength', 'minLength', 'maxItems', 'minItems', 'uniqueItems', 'maxContains', 'minContains'),
  ...of('values', 'maxProperties', 'minProperties', 'required', 'dependentRequired'),
  ...of('annotation', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$comment'),
  ...of('annotation', 'contentEncoding', 'contentMediaType', 'contentSchema'),
]);

/** Keywords whose schemas look at the same value as the schema they stand in. */
export const IN_PLACE: ReadonlySet<string> = new Set([
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'dependentSchemas',
]);

/** Keywords that look at every property of an object, whatever their number. */
export const FOR_EACH_PROPERTY: readonly string[] = [
  'additionalProperties',
  'unevaluatedProperties',
  'patternProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
];

function of(value: KeywordValue, ...keywords: readonly string[]): readonly (readonly [string, KeywordValue])[] {
  return keywords.map((keyword) => [keyword, value] as const);
}
