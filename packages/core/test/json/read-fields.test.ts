import { expect, it } from 'vitest';
import { EventManagerError } from '../../src/errors/event-manager-error.ts';
import { fieldTable, readFields } from '../../src/json/read-fields.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { parseSubscription } from '../../src/subscription/parse-subscription.ts';

function refused(run: () => unknown): EventManagerError {
  try {
    run();
  } catch (error) {
    if (error instanceof EventManagerError) return error;
  }
  throw new TypeError('Nothing was refused.');
}

/** Whoever mistyped a field finds the right one without leaving for the documentation. */
it('says which fields there are, in their place, and repeats nothing of what was given', () => {
  const table = fieldTable(['colour', 'size'], { color: 'colour' });
  const key = 'x'.repeat(100_000);
  const { message } = refused(() => readFields({ [key]: 1 }, table, { code: 'invalid_query', pointer: '' }));
  expect(message).toBe('This field is not known. Known here are colour, size.');
  const nested = { topic: 'a', handler: () => {}, filter: { or: [{ prioritty: 'HIGH' }] } };
  const error = refused(() => parseSubscription(nested, DEFAULT_LIMITS));
  expect(error.details.pointer).toBe('/filter/or/0/prioritty');
  expect(error.message).toMatch(/Known here are types, .*priority/);
});
