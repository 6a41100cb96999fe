import type { SchemaCompiler, SchemaViolation } from '../contracts/schema-compiler.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { howToInstall } from '../errors/how-to-install.ts';
import { wordsOf } from '../errors/words-of.ts';
import { jsonPointer } from '../json/json-pointer.ts';
import type { JsonValue } from '../json.ts';
import type { StandardIssue, StandardSchema } from '../typed/standard-schema.ts';

/** Looks at one payload. A promise only from a schema of a library that answers with one. */
export type PayloadCheck = (payload: JsonValue) => SchemaViolation | undefined | Promise<SchemaViolation | undefined>;

/** Throws `not_supported` without a compiler, `invalid_schema` with the pointer beneath `/schema`. */
export function jsonSchemaCheck(schema: JsonValue, compiler: SchemaCompiler | undefined): PayloadCheck {
  if (!compiler) {
    const words = `A JSON Schema needs a compiler: new EventManager({ schemas: ajvSchemas() }) of @event-manager/schema. ${howToInstall('@event-manager/schema')}.`;
    throw new EventManagerError('not_supported', words, { pointer: '/schema' });
  }
  try {
    const compiled = compiler.compile(schema);
    return (payload) => compiled.check(payload);
  } catch (error) {
    if (!isEventManagerError(error, 'invalid_schema')) throw error;
    const details = { ...error.details, pointer: `/schema${error.details.pointer ?? ''}` };
    throw new EventManagerError(error.code, error.message, details, error.cause);
  }
}

export function standardCheck(schema: StandardSchema): PayloadCheck {
  const { validate } = schema['~standard'];
  return (payload) => {
    try {
      const result = validate(payload);
      if (!('then' in result)) return violationIn(result.issues);
      return Promise.resolve(result).then(({ issues }) => violationIn(issues), failed);
    } catch (error) {
      return failed(error);
    }
  };
}

/** A schema that throws has not said that the payload fits. */
function failed(error: unknown): SchemaViolation {
  return { pointer: '', reason: `its schema failed: ${wordsOf(error)}` };
}

/** The payload has to pass all of them, in order; `undefined` when there are none. */
export function everyCheck(some: readonly (PayloadCheck | undefined)[]): PayloadCheck | undefined {
  const checks = some.filter((check) => check !== undefined);
  if (checks.length < 2) return checks[0];
  return (payload) => passFrom(0, checks, payload);
}

function passFrom(start: number, checks: readonly PayloadCheck[], payload: JsonValue): ReturnType<PayloadCheck> {
  for (let at = start; at < checks.length; at++) {
    const violation = checks[at]!(payload);
    if (violation instanceof Promise) return violation.then((found) => found ?? passFrom(at + 1, checks, payload));
    if (violation) return violation;
  }
  return undefined;
}

function violationIn(issues: readonly StandardIssue[] | undefined): SchemaViolation | undefined {
  const [issue] = issues ?? [];
  if (!issue) return undefined;
  const keys = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  const pointer = keys.reduce<string>((parent, key) => jsonPointer(parent, String(key)), '');
  return { pointer, reason: issue.message };
}
