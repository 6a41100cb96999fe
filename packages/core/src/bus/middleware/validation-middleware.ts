import type { CompiledSchema, SchemaCompiler } from '../../contracts/schema-compiler.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import { jsonSchemaCheck, type PayloadCheck, standardCheck } from '../../topic/payload-check.ts';
import { isStandardSchema, type StandardSchema } from '../../typed/standard-schema.ts';
import type { Middleware, PayloadIn } from './middleware.ts';

export interface ValidationOptions {
  /** Compiles what is JSON Schema; without it only schemas of libraries are taken. */
  readonly compiler?: SchemaCompiler | undefined;
  /** What becomes of events whose type has no schema. Default: `pass`. */
  readonly otherTypes?: 'pass' | 'refuse' | undefined;
}

const OPTIONS = ['compiler', 'otherTypes'] satisfies (keyof ValidationOptions)[];
const OTHER_TYPES: readonly string[] = ['pass', 'refuse'];

/** Of a library that speaks Standard Schema, compiled before, or JSON Schema. */
export type PayloadSchema = StandardSchema | CompiledSchema | JsonObject;

/**
 * Holds payloads against the schema of their type, and refuses those that do not fit with the place that is wrong. `schemas` of
 * `defineEvents` fit in here. Throws `invalid_schema`, `not_supported`; the middleware throws `schema_violation`.
 */
export function validationMiddleware(
  schemas: { readonly [type: string]: PayloadSchema },
  options: ValidationOptions = {},
): Middleware {
  refuseUnknownOptions(options, OPTIONS, 'validationMiddleware');
  const { compiler, otherTypes = 'pass' } = options;
  if (!OTHER_TYPES.includes(otherTypes)) throw new TypeError(`otherTypes is one of ${OTHER_TYPES.join(', ')}.`);
  const checks = new Map(Object.entries(schemas).map(([type, schema]) => [type, checkOf(schema, compiler)]));
  return async function validation(event, next) {
    const { type, payload } = event;
    const check = checks.get(type);
    if (!check && otherTypes === 'refuse') {
      throw new EventManagerError('schema_violation', `The type ${type} has no schema.`, { pointer: '/type' });
    }
    const violation = check && (await violationIn(payload, check));
    if (violation) {
      const words = `The payload does not fit the schema of ${type}: ${violation.reason}`;
      throw new EventManagerError('schema_violation', words, { pointer: `/payload${violation.pointer}` });
    }
    await next();
  };
}

/** What is checked is what everybody will read: a `Date` is a text then. What JSON cannot hold the bus refuses, with its place. */
function violationIn(payload: PayloadIn, check: PayloadCheck): ReturnType<PayloadCheck> {
  let written: JsonValue;
  try {
    written = JSON.parse(JSON.stringify(payload)) as JsonValue;
  } catch {
    return undefined;
  }
  return check(written);
}

function checkOf(schema: PayloadSchema, compiler: SchemaCompiler | undefined): PayloadCheck {
  if (isStandardSchema(schema)) return standardCheck(schema);
  if (isCompiled(schema)) return (payload) => schema.check(payload);
  return jsonSchemaCheck(schema as JsonObject, compiler);
}

function isCompiled(schema: PayloadSchema): schema is CompiledSchema {
  return typeof (schema as Partial<CompiledSchema>).check === 'function';
}
