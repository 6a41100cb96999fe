export { type AjvSchemasOptions, ajvSchemas } from './ajv-schemas.ts';
export { jsonSchema } from './json-schema.ts';
export { DEFAULT_SCHEMA_LIMITS, type SchemaLimits } from './schema-limits.ts';
