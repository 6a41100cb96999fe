import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownContext } from '../../src/context/context-cell.ts';
import { compileFilter, parseFilter } from '../../src/filter/filter.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { context, event, filter } from './arbitrary-filters.ts';
import { passes } from './reference-filter.ts';

/** If the evaluator and the plain reading of the documentation differ, somebody gets what was kept from them, or misses what was owed. */
describe('a compiled filter', () => {
  it('decides as the plain reading of its stored form does', () => {
    let passed = 0;
    let all = 0;
    const property = fc.property(filter, event, context, (input, given, ids) => {
      const stored = parseFilter(input, DEFAULT_LIMITS, '');
      const known = { current: ids && knownContext(ids) };
      const expected = passes(stored as never, given, ids);
      expect(compileFilter(stored, known)(given)).toBe(expected);
      // Stored and read again it is the same filter.
      expect(parseFilter(JSON.parse(JSON.stringify(stored)), DEFAULT_LIMITS, '')).toEqual(stored);
      all++;
      if (expected) passed++;
    });
    fc.assert(property, { numRuns: 5_000 });
    // A comparison of refusals alone would show nothing.
    expect(passed / all).toBeGreaterThan(0.15);
    expect(passed / all).toBeLessThan(0.85);
  });
});
