import type { JsonValue, StandardSchema } from '@event-manager/core';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { type AjvSchemasOptions, ajvSchemas } from './ajv-schemas.ts';

/** Asked of a schema at hand alone: of all schemas at once the compiler would never come to an end. */
type TypeOf<Schema> = Schema extends JSONSchema ? FromSchema<Schema> : never;

/**
 * A JSON Schema 2020-12 that speaks Standard Schema, for `defineEvents`: its type is read off the schema, and payloads are held
 * against it by the same bounded compiler as those of declared topics. Of what a type cannot say (formats, patterns, ranges)
 * only the check knows. Throws `invalid_schema`.
 */
export function jsonSchema<const Schema extends object>(
  schema: Schema,
  options: AjvSchemasOptions = {},
): StandardSchema<TypeOf<Schema>> {
  const compiled = ajvSchemas(options).compile(schema as JsonValue);
  return {
    '~standard': {
      version: 1,
      vendor: '@event-manager/schema',
      validate(value) {
        const violation = compiled.check(value as JsonValue);
        if (!violation) return { value: value as TypeOf<Schema> };
        return { issues: [{ message: violation.reason, path: keysOf(violation.pointer) }] };
      },
    },
  };
}

/** RFC 6901, backwards. */
function keysOf(pointer: string): string[] {
  const keys = pointer.split('/').slice(1);
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
