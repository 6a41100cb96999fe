import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordedTimes } from '../../../src/dispatch/pace/recorded-times.ts';

const DAY_MS = 86_400_000;

describe('the times of recording', () => {
  it('are never later than the true ones, and earlier by little for their age', () => {
    const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 60_000 })), {
      minLength: 2,
      maxLength: 3_000,
      size: 'max',
    });
    fc.assert(
      fc.property(gaps, (given) => {
        const times = new RecordedTimes();
        const trueMs = [0];
        for (const gapMs of given) trueMs.push(trueMs.at(-1)! + gapMs);
        trueMs.forEach((timeMs, position) => {
          times.note(position, timeMs);
        });
        const headMs = trueMs.at(-1)!;
        for (const [position, timeMs] of trueMs.entries()) {
          const told = times.timeOf(position)!;
          expect(told).toBeLessThanOrEqual(timeMs);
          expect(timeMs - told).toBeLessThanOrEqual(Math.max(10, (headMs - told) / 32));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('can be noted later for what is read back', () => {
    const times = new RecordedTimes();
    times.note(1_000, 50_000);
    expect(times.timeOf(10)).toBeUndefined();
    for (const position of [10, 11, 500, 20]) times.note(position, position * 10);
    expect([10, 15, 20, 499, 500, 999, 1_000, 9_000].map((position) => times.timeOf(position))).toEqual([
      100, 110, 200, 200, 5_000, 5_000, 50_000, 50_000,
    ]);
  });

  it('take little memory for a month', () => {
    const times = new RecordedTimes();
    for (let at = 0; at < 1_000_000; at++) times.note(at, at * ((30 * DAY_MS) / 1_000_000));
    expect(times.size).toBeLessThan(5_000);
  });
});
