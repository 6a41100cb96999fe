import { expect, it } from 'vitest';
import { retryAfterMs } from '../../src/send/retry-after.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0);

it.each([
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7_000],
  ['Fri, 20 Nov 2026 12:00:30 GMT', 30_000],
  ['Friday, 20-Nov-26 12:01:00 GMT', 60_000],
  ['Fri Nov 20 12:02:00 2026', 120_000],
  ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
  ['9999999999', 86_400_000],
  ['Fri, 20 Nov 2099 12:00:00 GMT', 86_400_000],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['Fri, 99 Nov 2026 12:00:00 GMT', undefined],
  ['', undefined],
])('reads Retry-After %j as %s ms', (value, expected) => {
  expect(retryAfterMs(value, undefined, NOW_MS)).toBe(expected);
});

it("measures a date by the receiver's own clock, if it tells the time", () => {
  const date = 'Fri, 20 Nov 2026 18:00:00 GMT';
  expect(retryAfterMs('Fri, 20 Nov 2026 18:02:00 GMT', date, NOW_MS)).toBe(120_000);
  expect(retryAfterMs('Fri, 20 Nov 2026 12:02:00 GMT', 'today', NOW_MS)).toBe(120_000);
  expect(retryAfterMs('5', date, NOW_MS)).toBe(5_000);
});
