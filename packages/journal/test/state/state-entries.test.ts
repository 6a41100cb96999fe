import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StateEntries } from '../../src/state/state-entries.ts';

const NOWHERE = { file: 'none', seed: 0, at: 0, bytes: 0 };

it('gives pages in key order, whatever was set and deleted between two pages', () => {
  const step = fc.record({ key: fc.string({ maxLength: 3 }), set: fc.boolean(), look: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const entries = new StateEntries();
      const model = new Map<string, number>();
      for (const [revision, { key, set, look }] of steps.entries()) {
        entries.apply({ kind: 'topic', key, json: set ? String(revision) : undefined }, revision + 1, NOWHERE);
        if (set) model.set(key, revision);
        else model.delete(key);
        if (!look) continue;
        const { keys } = entries.page('topic', { limit: 1000 });
        expect(keys.map((name) => [name, Number(entries.get('topic', name)!.json)])).toEqual(
          [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
        );
      }
      expect(entries.countOf('topic')).toBe(model.size);
    }),
  );
});

it('gives pages in key order while many keys come at one end and go at the other', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      from: fc.integer({ min: 0, max: 900 }),
      count: fc.integer({ min: 1, max: 150 }),
    }),
    fc.record({
      do: fc.constant('remove' as const),
      from: fc.integer({ min: 0, max: 900 }),
      count: fc.integer({ min: 1, max: 300 }),
    }),
    fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 400 }) }),
    fc.record({
      do: fc.constant('look' as const),
      after: fc.integer({ min: -1, max: 1_100 }),
      limit: fc.integer({ min: 1, max: 200 }),
    }),
  );
  const keyOf = (n: number) => `${n % 3 === 0 ? 'a' : 'b'}/${String(n).padStart(5, '0')}`;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const entries = new StateEntries();
      const model = new Set<string>();
      const change = (key: string, json: string | undefined) => {
        entries.apply({ kind: 'topic', key, json }, 1, NOWHERE);
        if (json === undefined) model.delete(key);
        else model.add(key);
      };
      for (const next of steps) {
        if (next.do === 'add') for (let n = 0; n < next.count; n++) change(keyOf(next.from + n), '1');
        if (next.do === 'remove') for (let n = 0; n < next.count; n++) change(keyOf(next.from + n), undefined);
        if (next.do === 'shift') for (const key of [...model].sort().slice(0, next.count)) change(key, undefined);
        if (next.do !== 'look') continue;
        for (const prefix of ['', 'a/', 'b/']) {
          const after = next.after < 0 ? undefined : keyOf(next.after);
          const wanted = [...model]
            .sort()
            .filter((key) => key.startsWith(prefix) && (after === undefined || key > after));
          const page = entries.page('topic', { prefix, limit: next.limit, ...(after === undefined ? {} : { after }) });
          expect(page).toEqual({ keys: wanted.slice(0, next.limit), hasMore: wanted.length > next.limit });
        }
      }
    }),
    { numRuns: 300 },
  );
});

it('brings many keys in order a few at a time, and loses none that comes or goes meanwhile', () => {
  const change = fc.record({
    n: fc.integer({ min: 0, max: 3_999 }),
    count: fc.integer({ min: 1, max: 300 }),
    set: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.integer({ min: 0, max: 9 }), (changes, seed) => {
      const entries = new StateEntries();
      const model = new Set<string>();
      const apply = (n: number, set: boolean) => {
        const key = String((n * 7_919 + seed) % 4_001).padStart(5, '0');
        entries.apply({ kind: 'topic', key, json: set ? '1' : undefined }, 1, NOWHERE);
        model[set ? 'add' : 'delete'](key);
      };
      for (let n = 0; n < 3_000; n++) apply(n, true);
      const [one, other] = [entries.sort('topic'), entries.sort('topic')];
      let steps = 0;
      for (let at = 0; !entries.isSorted('topic'); at++) {
        (at % 3 === 0 ? other : one).next();
        steps++;
        const next = changes[at];
        if (next) for (let n = next.n; n < next.n + next.count; n++) apply(n, next.set);
      }
      // One that takes all of them at once would be one step.
      expect(steps).toBeGreaterThan(8);
      expect(entries.page('topic', { limit: 10_000 })).toEqual({ keys: [...model].sort(), hasMore: false });
    }),
    { numRuns: 50 },
  );
});
