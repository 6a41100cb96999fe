import type { DeadLetter } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { errorFingerprint } from '../../../src/runs/redrive/error-fingerprint.ts';

function of(message: string, code = 'handler_error', subscriptionId = 's') {
  const errors = [{ attempt: 1, atMs: 0, code, message }];
  return errorFingerprint({ subscriptionId, errors, reason: message } as unknown as DeadLetter);
}

describe('the fingerprint of an error', () => {
  it.each([
    ['order 17 has no street', 'order 18 has no street'],
    ['no user "ada"', 'no user "bob"'],
    ["no user 'ada'", "no user 'o neil'"],
    ['late: 0198c0de-0000-7000-8000-000000000001', 'late: 0198c0de-0000-7000-8000-00000000000a'],
    ['order-12a4 is gone', 'order-99b1 is gone'],
  ])('is the same for %s and %s', (one, other) => {
    expect(of(one)).toEqual(of(other));
  });

  it('differs by the subscription, the code, the words, and the status of an answer', () => {
    const all = [
      of('no street'),
      of('no street', 'timeout'),
      of('no street', 'handler_error', 't'),
      of('no house'),
      of('The receiver answered with status 500.'),
      of('The receiver answered with status 503.'),
    ];
    expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(all.length);
  });

  it('says in words what is common', () => {
    expect(of('order 17: "Elm Row" refused, status 503').words).toBe('order …: … refused, status 503');
  });
});
