import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY_POLICY, delayBeforeRetryMs, parseRetryPolicy } from '../../src/retry/retry-policy.ts';
import type { Chance } from '../../src/runtime/chance.ts';
import { refusal } from '../refusal.ts';

const chanceOf = (fraction: number): Chance => ({ fraction: () => fraction, fill: () => {} });
const steady = { ...DEFAULT_RETRY_POLICY, jitter: false };
const delays = (policy: typeof steady) => [1, 2, 3, 4, 40].map((n) => delayBeforeRetryMs(policy, n, chanceOf(0)));

describe('delayBeforeRetryMs', () => {
  it('grows as the strategy says and stops at maxDelay', () => {
    expect(delays({ ...steady, backoffStrategy: 'fixed' })).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
    expect(delays({ ...steady, backoffStrategy: 'linear' })).toEqual([1_000, 2_000, 3_000, 4_000, 30_000]);
    expect(delays(steady)).toEqual([1_000, 2_000, 4_000, 8_000, 30_000]);
  });

  it('never leaves half to whole of the delay with jitter, for any policy and any number of failures', () => {
    const policies = fc.record({
      maxRetries: fc.constant(3),
      backoffStrategy: fc.constantFrom('fixed' as const, 'linear' as const, 'exponential' as const),
      initialDelay: fc.integer({ min: 0, max: 60_000 }),
      maxDelay: fc.integer({ min: 60_000, max: 600_000 }),
    });
    const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 100_000 }), fractions, (policy, failures, fraction) => {
        const whole = delayBeforeRetryMs({ ...policy, jitter: false }, failures, chanceOf(fraction));
        const spread = delayBeforeRetryMs({ ...policy, jitter: true }, failures, chanceOf(fraction));
        expect(whole).toBeLessThanOrEqual(policy.maxDelay);
        expect(spread).toBeLessThanOrEqual(whole);
        expect(spread).toBeGreaterThanOrEqual(Math.floor(whole / 2));
      }),
    );
  });

  it('waits as long as the receiver asks when that is longer, beyond maxDelay, but no longer than a week', () => {
    expect(delayBeforeRetryMs(steady, 1, chanceOf(0), 120_000)).toBe(120_000);
    expect(delayBeforeRetryMs(steady, 4, chanceOf(0), 500)).toBe(8_000);
    expect(delayBeforeRetryMs(steady, 1, chanceOf(0), 1e15)).toBe(7 * 24 * 3_600_000);
  });
});

describe('parseRetryPolicy', () => {
  it('puts in the defaults of the specification and reads both cases', () => {
    expect(parseRetryPolicy({}, '')).toEqual(DEFAULT_RETRY_POLICY);
    const expected = { ...DEFAULT_RETRY_POLICY, maxRetries: 0, initialDelay: 60_000, maxDelay: 60_000 };
    expect(parseRetryPolicy({ max_retries: 0, initial_delay: 60_000 }, '')).toEqual(expected);
  });

  it.each([
    [null, ''],
    [{ maxRetries: null }, '/maxRetries'],
    [{ backoffStrategy: null }, '/backoffStrategy'],
    [{ jitter: null }, '/jitter'],
    [{ maxRetries: -1 }, '/maxRetries'],
    [{ maxRetries: 1e9 }, '/maxRetries'],
    [{ maxRetries: '3' }, '/maxRetries'],
    [{ backoffStrategy: 'random' }, '/backoffStrategy'],
    [{ initialDelay: 1.5 }, '/initialDelay'],
    [{ initialDelay: 10, maxDelay: 5 }, '/maxDelay'],
    [{ jitter: 'yes' }, '/jitter'],
    [{ retries: 3 }, '/retries'],
  ])('refuses %j', (input, pointer) => {
    expect(refusal(() => parseRetryPolicy(input, '/retry'))).toBe(`invalid_subscription at /retry${pointer}`);
  });
});
