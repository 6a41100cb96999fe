import { EventManagerError, type JsonObject, type SchemaCompiler } from '@event-manager/core';

/** A compiler that knows one keyword: what core does with schemas does not depend on what they can say. */
export const requiredFields: SchemaCompiler & { compiled: number } = {
  compiled: 0,
  compile(schema) {
    this.compiled++;
    const { required } = schema as { required?: string[] };
    if (!Array.isArray(required)) {
      throw new EventManagerError('invalid_schema', 'Only required is known.', { pointer: '/required' });
    }
    return {
      check(payload) {
        const missing = required.find((name) => !Object.hasOwn(payload as JsonObject, name));
        return missing === undefined ? undefined : { pointer: `/${missing}`, reason: `${missing} is missing` };
      },
    };
  },
};

export const requires = (...required: string[]): JsonObject => ({ required });
