import type { JsonValue } from '../json.ts';

/** Why a payload does not fit its schema. Only the first reason is looked for: more would be work for the sender of bad data. */
export interface SchemaViolation {
  /** JSON pointer (RFC 6901) inside the payload; empty when it is the payload as a whole. */
  readonly pointer: string;
  /** For people, without values of the payload: it is logged and answered. */
  readonly reason: string;
}

/** A schema that is ready to be used. */
export interface CompiledSchema {
  /**
   * Looks at a JSON value and changes nothing of it. Bounded: what would take too long is a violation that says so. Throws
   * only for bugs.
   */
  check(payload: JsonValue): SchemaViolation | undefined;
}

/**
 * Makes checks out of JSON Schema 2020-12. Handed to the engine from outside, because core has no dependency and a compiler of
 * JSON Schema is not what this product is about; `@event-manager/schema` has one.
 */
export interface SchemaCompiler {
  /**
   * Reads a schema as strangers send it, so its size, its depth, its patterns and the time it takes are bounded. Throws
   * `invalid_schema` with `details.pointer` inside the schema. Nothing of the result refers to the input.
   */
  compile(schema: JsonValue): CompiledSchema;
}
