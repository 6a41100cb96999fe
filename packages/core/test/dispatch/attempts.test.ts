import { describe, expect, it } from 'vitest';
import type { ActiveSubscription } from '../../src/dispatch/active-subscription.ts';
import { Attempts } from '../../src/dispatch/attempts.ts';
import { Attempt } from '../../src/dispatch/deliver.ts';

const attempt = () => new Attempt({ id: 's' } as ActiveSubscription, []);

describe('Attempts', () => {
  it('agrees with a Set over random additions and deletions, in the order of starting', () => {
    const list = new Attempts();
    const set = new Set<Attempt>();
    const all = Array.from({ length: 12 }, attempt);
    let random = 7;
    for (let step = 0; step < 2_000; step++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
      const one = all[(random >>> 8) % all.length]!;
      if ((random >>> 20) % 2 === 0) {
        list.add(one);
        set.add(one);
      } else {
        expect(list.delete(one)).toBe(set.delete(one));
      }
      expect([...list]).toEqual([...set]);
      expect(list.size).toBe(set.size);
      expect(list.first).toBe([...set][0]);
    }
    list.clear();
    expect([...list, list.first, list.size]).toEqual([undefined, 0]);
  });

  it('refers to none of the others once it has left: one that outlived its collection would keep them all', () => {
    const list = new Attempts();
    const [a, b, c] = [attempt(), attempt(), attempt()];
    for (const one of [a, b, c]) list.add(one);
    list.delete(b);
    expect([b.earlier, b.later]).toEqual([undefined, undefined]);
    expect([...list]).toEqual([a, c]);
  });
});
