import {
  type CompiledSchema,
  EventManagerError,
  jsonPointer,
  type SchemaCompiler,
  type SchemaViolation,
} from '@event-manager/core';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { Effort, TooMuchEffort } from './effort.ts';
import { equalities, replaceKeyword } from './equality-keywords.ts';
import { inspectSchema } from './inspect-schema.ts';
import { makeCheck } from './make-check.ts';
import { DEFAULT_SCHEMA_LIMITS, type SchemaLimits } from './schema-limits.ts';

export interface AjvSchemasOptions {
  readonly limits?: Partial<SchemaLimits>;
}

const TOO_MUCH: SchemaViolation = Object.freeze({
  pointer: '',
  reason: 'holding it against the schema takes too long',
});

/**
 * Compiles JSON Schema 2020-12 with ajv, so that a schema from a stranger is no danger: its size and depth are bounded, its
 * patterns run on an engine that cannot be made slow, what a check may cost is bounded whatever schema and payload say, and
 * payloads are not changed.
 */
export function ajvSchemas(options: AjvSchemasOptions = {}): SchemaCompiler {
  const limits: SchemaLimits = { ...DEFAULT_SCHEMA_LIMITS, ...options.limits };
  const effort = new Effort(limits.stepsMax);
  const grammar = makeGrammar(effort);
  return {
    compile(schema) {
      const { patterns } = inspectSchema(schema, limits, effort);
      effort.begin();
      if (!grammar.validateSchema(schema as object)) throw invalid(grammar.errors);
      return compiled(makeCheck(schema, patterns, effort), effort);
    },
  };
}

/** Knows what a schema looks like. Making it takes 50 ms, once. */
function makeGrammar(effort: Effort): Ajv2020 {
  const grammar = new Ajv2020({ strict: false, logger: false });
  for (const definition of equalities(effort)) replaceKeyword(grammar, definition);
  effort.begin();
  grammar.validateSchema({});
  return grammar;
}

function compiled(validate: ValidateFunction, effort: Effort): CompiledSchema {
  return {
    check(payload) {
      effort.begin();
      try {
        return validate(payload) ? undefined : violationOf(validate.errors);
      } catch (error) {
        // A payload may be nested deeper than the stack, or the schema ask for more than it may.
        if (error instanceof TooMuchEffort || error instanceof RangeError) return TOO_MUCH;
        throw error;
      }
    },
  };
}

/** The last error is the outermost: the others say why its alternatives did not fit. */
function violationOf(errors: readonly ErrorObject[] | null | undefined): SchemaViolation {
  const outermost = errors?.at(-1);
  const error = outermost?.keyword === 'if' ? (errors?.at(-2) ?? outermost) : outermost;
  if (!error) return { pointer: '', reason: 'it does not fit' };
  const { missingProperty, additionalProperty, unevaluatedProperty } = error.params as Record<string, unknown>;
  const stranger = additionalProperty ?? unevaluatedProperty;
  // The property that is missing or too much is the place, not the object around it.
  const property = missingProperty ?? stranger;
  const place = shortened(error.instancePath);
  const pointer = typeof property === 'string' ? jsonPointer(place, property) : place;
  return { pointer, reason: typeof stranger === 'string' ? 'this property is not allowed' : (error.message ?? '') };
}

/** The same place with keys that people can read: a hostile one may be a megabyte long. */
function shortened(instancePath: string): string {
  const keys = instancePath.split('/').slice(1);
  return keys.reduce((parent, key) => jsonPointer(parent, key.replaceAll('~1', '/').replaceAll('~0', '~')), '');
}

function invalid(errors: readonly ErrorObject[] | null | undefined): EventManagerError {
  const { pointer, reason } = violationOf(errors);
  return new EventManagerError('invalid_schema', `The schema is not one of JSON Schema 2020-12: ${reason}.`, {
    pointer,
  });
}
