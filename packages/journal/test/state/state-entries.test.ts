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
