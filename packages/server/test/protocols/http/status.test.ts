import { readFileSync } from 'node:fs';
import { ERROR_CODES, type ErrorCode, EventManagerError } from '@event-manager/core';
import { expect, it } from 'vitest';
import { errorOf, problemOf, retryAfterSeconds } from '../../../src/protocols/http/problem.ts';
import { HTTP_STATUS } from '../../../src/protocols/http/status.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

it('has a status for every error code and none besides', () => {
  expect(Object.keys(HTTP_STATUS).sort()).toEqual([...codes].sort());
});

it('blames the caller for what the caller can change, and says when to come back for what time may heal', () => {
  for (const code of codes) {
    const { kind } = ERROR_CODES[code];
    const status = HTTP_STATUS[code];
    if (kind === 'invalid' || kind === 'denied' || kind === 'not-found' || kind === 'limit') {
      expect([code, status >= 400 && status < 500]).toEqual([code, true]);
    }
    if (kind === 'unavailable') expect([code, status]).toEqual([code, 503]);
    if (kind === 'internal') expect([code, status]).toEqual([code, 500]);
    const seconds = retryAfterSeconds(new EventManagerError(code, '', { retryAfterMs: 2_400 }));
    expect([code, seconds]).toEqual([code, status === 429 || status === 503 ? 3 : undefined]);
  }
});

it('is repeated in docs/http.md, in both directions', () => {
  const page = readFileSync(new URL('../../../../../docs/http.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)].flatMap(([, status, cells]) =>
    [...cells!.matchAll(/`([a-z_]+)`/g)].map(([, code]) => [code, Number(status)]),
  );
  expect(Object.fromEntries(rows)).toEqual(HTTP_STATUS);
});

it('tells nothing of what failed inside', () => {
  const inside = new TypeError('cannot read /var/lib/secret/key of undefined');
  const problem = problemOf(errorOf(inside), 'r-1');
  expect(problem).toEqual({
    type: 'urn:event-manager:problem:internal',
    title: ERROR_CODES.internal.meaning,
    status: 500,
    detail: ERROR_CODES.internal.meaning,
    code: 'internal',
    retryable: false,
    requestId: 'r-1',
  });
});
