/** How much a schema may ask for, when it is compiled and when a payload is held against it. */
export interface SchemaLimits {
  /** Subschemas, and other entries that become code: compiling takes about 0.15 ms for each (measured), while nothing else runs. */
  readonly subschemasMax: number;
  /** Nesting of subschemas. */
  readonly depthMax: number;
  /** Characters of one pattern. */
  readonly patternCharactersMax: number;
  /** Instructions of all patterns of a schema together: they cost about 10 µs each to compile (measured). */
  readonly patternSizeMax: number;
  /** Steps of one check, of about 50 ns (measured): no event holds up the others for longer than 25 ms. */
  readonly stepsMax: number;
  /** Steps of one match of a pattern: 10 ms. */
  readonly matchStepsMax: number;
}

export const DEFAULT_SCHEMA_LIMITS: SchemaLimits = Object.freeze({
  subschemasMax: 300,
  depthMax: 32,
  patternCharactersMax: 1_000,
  patternSizeMax: 5_000,
  stepsMax: 500_000,
  matchStepsMax: 200_000,
});
