import { expect, it } from 'vitest';
import { responseOutcome } from '../../src/send/response-outcome.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0);

const answer = (status: number, retryAfter?: string) =>
  responseOutcome({ status, retryAfter, date: undefined }, NOW_MS);

it.each([
  [429, '10', 10_000],
  [503, '10', 10_000],
  [429, 'Fri, 20 Nov 2026 12:02:00 GMT', 120_000],
  [429, '0', 1_000],
])('takes a %i with Retry-After %s for a wish to be left alone for %i ms', (status, retryAfter, afterMs) => {
  expect(answer(status, retryAfter)).toMatchObject({ status: 'busy', afterMs, error: { code: `http_${status}` } });
});

it('takes a 429 that does not say how long, or says nonsense, for such a wish all the same', () => {
  for (const retryAfter of [undefined, 'soon', '-5']) {
    expect(answer(429, retryAfter)).toMatchObject({ status: 'busy', error: { code: 'http_429' } });
    expect(answer(429, retryAfter)).not.toHaveProperty('afterMs');
  }
});

it.each([502, 504])('takes a %i for a failure, and waits as long as it asks', (status) => {
  expect(answer(status, '10')).toMatchObject({ status: 'retry', afterMs: 10_000 });
});

it('lets the retry policy decide when the status says nothing about later', () => {
  for (const outcome of [answer(500, '10'), answer(503), answer(503, 'soon'), answer(404, '10')]) {
    expect(outcome).toMatchObject({ status: 'retry' });
    expect(outcome).not.toHaveProperty('afterMs');
  }
});
