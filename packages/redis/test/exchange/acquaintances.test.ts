import { describe, expect, it } from 'vitest';
import { Acquaintances } from '../../src/exchange/acquaintances.ts';

function at(): { acquaintances: Acquaintances; pass: (ms: number) => void } {
  let nowMs = 0;
  const acquaintances = new Acquaintances({ wallMs: () => 0, monotonicMs: () => nowMs });
  return {
    acquaintances,
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

describe('what is known of other processes', () => {
  it('is where they are while they beat, and forgotten when nothing is heard of them', () => {
    const { acquaintances, pass } = at();
    acquaintances.meet('b', 'life');
    expect(acquaintances.elsewhere()).toEqual(['b']);
    expect(acquaintances.cameToRedis('b', 1)).toBe(true);
    expect(acquaintances.cameToRedis('b', 1)).toBe(false);
    expect(acquaintances.elsewhere()).toEqual([]);
    pass(2_500);
    expect(acquaintances.elsewhere()).toEqual(['b']);
    pass(7_500);
    expect(acquaintances.names()).toEqual(['b']);
    pass(1);
    expect(acquaintances.names()).toEqual([]);
  });

  it('does not go back to an earlier turn of which is heard late', () => {
    const { acquaintances } = at();
    acquaintances.meet('b', 'life');
    acquaintances.cameToRedis('b', 2);
    acquaintances.leftRedis('b', 1);
    expect(acquaintances.isAtRedis('b')).toBe(true);
    acquaintances.leftRedis('b', 3);
    expect(acquaintances.cameToRedis('b', 2)).toBe(false);
    expect(acquaintances.isAtRedis('b')).toBe(false);
  });

  it('takes each letter of a life once and in order, and begins anew with another life', () => {
    const { acquaintances } = at();
    acquaintances.meet('b', 'first');
    expect([1, 3, 2, 3, 4].map((number) => acquaintances.isNews('b', number))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
    acquaintances.meet('b', 'first');
    expect(acquaintances.isNews('b', 4)).toBe(false);
    acquaintances.meet('b', 'second');
    expect(acquaintances.isNews('b', 1)).toBe(true);
  });

  it('does not take one that uses Redis for one that does not because of a letter without a seal', () => {
    const { acquaintances, pass } = at();
    acquaintances.meet('b', 'life');
    acquaintances.meetPlain('b');
    expect(acquaintances.usesRedis('b')).toBe(true);
    pass(10_001);
    acquaintances.meetPlain('b');
    expect(acquaintances.usesRedis('b')).toBe(false);
  });
});
