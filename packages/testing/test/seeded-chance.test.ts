import { describe, expect, it } from 'vitest';
import { SeededChance } from '../src/seeded-chance.ts';

const draws = (chance: SeededChance, count: number) => Array.from({ length: count }, () => chance.fraction());

describe('SeededChance', () => {
  it('gives the same run for a seed for ever: replay commands in old reports depend on it', () => {
    const chance = new SeededChance(42);
    const bytes = new Uint8Array(6);
    chance.fill(bytes);
    expect([
      ...draws(chance, 3).map((fraction) => fraction.toFixed(9)),
      Buffer.from(bytes).toString('hex'),
    ]).toMatchInlineSnapshot(`
      [
        "0.018084543",
        "0.534890628",
        "0.727247696",
        "3d945d27b4aa",
      ]
    `);
  });

  it('gives unlike runs for neighbouring seeds', () => {
    expect(draws(new SeededChance(1), 5)).not.toEqual(draws(new SeededChance(2), 5));
  });

  it('spreads fractions evenly over [0, 1)', () => {
    const chance = new SeededChance(7);
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) buckets[Math.floor(chance.fraction() * 10)]!++;
    // Ten thousand expected in each; the bound is more than five standard deviations away.
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('keeps integers, picks and probabilities inside their bounds', () => {
    const chance = new SeededChance(9);
    const seen = new Set(Array.from({ length: 200 }, () => chance.integer(4)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
    expect(Array.from({ length: 50 }, () => chance.happens(0)).includes(true)).toBe(false);
    expect(Array.from({ length: 50 }, () => chance.happens(1)).includes(false)).toBe(false);
    expect(() => chance.pick([])).toThrow(TypeError);
  });

  it('forks streams that depend on seed and name, not on what was drawn before', () => {
    const early = new SeededChance(3).fork('disk');
    const late = new SeededChance(3);
    draws(late, 10);
    expect(draws(late.fork('disk'), 4)).toEqual(draws(early, 4));
    expect(draws(new SeededChance(3).fork('disk'), 4)).not.toEqual(draws(new SeededChance(3).fork('clock'), 4));
  });
});
