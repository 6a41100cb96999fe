/**
 * What schema libraries agree on (https://standardschema.dev, `@standard-schema/spec` 1.1): zod, valibot, arktype and others
 * are taken as they are. Written down here because core depends on nothing; a test keeps it equal to the published one.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * What publishers hand in and handlers get: an event is stored as it was published, so the values that a schema would make
 * of it (defaults, dates) are seen by nobody.
 */
export type PayloadOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input'];

/**
 * True for the schema of a library. Some make schemas that are functions. What `z.toJSONSchema` gives is a schema of the
 * library and a JSON Schema; it was made to be the second, and says so by `$schema`.
 */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  if (Object.hasOwn(value, '$schema')) return false;
  const standard: unknown = (value as Partial<StandardSchema>)['~standard'];
  return typeof standard === 'object' && standard !== null && 'validate' in standard;
}
