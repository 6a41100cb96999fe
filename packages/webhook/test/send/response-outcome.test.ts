import { expect, it } from 'vitest';
import { responseOutcome, retryAfterMs } from '../../src/send/response-outcome.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0);

it.each([
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7_000],
  ['Fri, 20 Nov 2026 12:00:30 GMT', 30_000],
  ['Friday, 20-Nov-26 12:01:00 GMT', 60_000],
  ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
  ['9999999999', 86_400_000],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
])('reads Retry-After %j as %s ms', (value, expected) => {
  expect(retryAfterMs(value, NOW_MS)).toBe(expected);
});

it.each([429, 502, 503, 504])('waits as long as a %i asks', (status) => {
  expect(responseOutcome({ status, retryAfter: '10' }, NOW_MS)).toMatchObject({ status: 'retry', afterMs: 10_000 });
});

it('lets the retry policy decide when the status says nothing about later', () => {
  expect(responseOutcome({ status: 500, retryAfter: '10' }, NOW_MS)).not.toHaveProperty('afterMs');
  expect(responseOutcome({ status: 503, retryAfter: undefined }, NOW_MS)).not.toHaveProperty('afterMs');
});
