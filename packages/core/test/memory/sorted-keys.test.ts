import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SortedKeys } from '../../src/memory/sorted-keys.ts';

const run = fc.record({
  from: fc.integer({ min: 0, max: 3_000 }),
  count: fc.integer({ min: 1, max: 900 }),
  step: fc.constantFrom(1, -1, 7, 1_231),
});
const STEP = fc.oneof(
  fc.record({ do: fc.constant('add' as const), run }),
  fc.record({ do: fc.constant('delete' as const), run }),
  fc.record({
    do: fc.constant('look' as const),
    after: fc.option(fc.integer({ min: 0, max: 3_500 }), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 700 }),
  }),
);
const PREFIXES = ['', 'a/', 'b/', 'b/00', 'c/', '\uffff'];
const keyOf = (n: number) => `${n % 3 === 0 ? 'a' : 'b'}/${String(n % 3_500).padStart(4, '0')}`;

it('gives every page as a list that is sorted as a whole would, however keys come and go', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 25 }), (steps) => {
      const sorted = new SortedKeys();
      const model = new Set<string>();
      for (const step of steps) {
        if (step.do !== 'look') {
          const { from, count, step: by } = step.run;
          for (let n = 0; n < count; n++) {
            const key = keyOf(Math.abs(from + n * by));
            sorted[step.do](key);
            model[step.do](key);
          }
          continue;
        }
        const { limit } = step;
        const all = [...model].sort();
        const after = step.after === undefined ? undefined : keyOf(step.after);
        for (const prefix of PREFIXES) {
          const wanted = all.filter((key) => key.startsWith(prefix) && (after === undefined || key > after));
          expect(sorted.page({ prefix, after, limit })).toEqual({
            keys: wanted.slice(0, limit),
            hasMore: wanted.length > limit,
          });
        }
      }
    }),
    { numRuns: 300 },
  );
});
