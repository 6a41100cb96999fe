import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StateEntries } from '../../src/state/state-entries.ts';

it('gives pages in key order, whatever was set and deleted between two pages', () => {
  const step = fc.record({ key: fc.string({ maxLength: 3 }), set: fc.boolean(), look: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const entries = new StateEntries();
      const model = new Map<string, number>();
      for (const [revision, { key, set, look }] of steps.entries()) {
        entries.apply({ kind: 'topic', key, json: set ? String(revision) : undefined }, revision + 1);
        if (set) model.set(key, revision);
        else model.delete(key);
        if (!look) continue;
        const page = entries.load('topic', { limit: 1000 });
        expect(page.entries.map((entry) => [entry.key, entry.value])).toEqual(
          [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
        );
      }
      expect(entries.countOf('topic')).toBe(model.size);
    }),
  );
});
