import { ErrorReply } from 'redis';
import { expect, it } from 'vitest';
import { storeError } from '../../src/connect/store-error.ts';

/** What the servers say, and what whoever called is told. */
const REPLIES: readonly [said: string, code: string, retryable: boolean][] = [
  ['LOADING Redis is loading the dataset in memory', 'store_unavailable', true],
  ["READONLY You can't write against a read only replica.", 'store_unavailable', true],
  [
    'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.',
    'store_unavailable',
    true,
  ],
  ['MISCONF Errors writing to the AOF file: No space left on device', 'disk_full', true],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'disk_full', true],
  [
    "ERR Error running script (call to f_0123): @user_script:7: @user_script: 7: -OOM command not allowed when used memory > 'maxmemory'.",
    'disk_full',
    true,
  ],
  ['BUSY Redis is busy running a script.', 'store_unavailable', true],
  ['NOREPLICAS Not enough good replicas to write.', 'store_unavailable', true],
  ['ERR max number of clients reached', 'store_unavailable', true],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'invalid_setting', false],
  ['NOAUTH Authentication required.', 'invalid_setting', false],
  ["NOPERM User bus has no permissions to run the 'evalsha' command", 'invalid_setting', false],
  ['GONE What this store kept is not there any more.', 'store_failed', true],
  ['ERR unknown command secret-name', 'store_failed', true],
];

it.each(REPLIES)('knows what %j means', (said, code, retryable) => {
  const error = storeError(new ErrorReply(said));
  expect([error.code, error.retryable]).toEqual([code, retryable]);
  expect(error.message).not.toMatch(/secret-name|bus|script|maxmemory/);
  if (code === 'store_unavailable' || code === 'disk_full') expect(error.details['retryAfterMs']).toBeGreaterThan(0);
});

it('takes what is no answer for a failure of the way, but for encryption that is set wrong', () => {
  expect(storeError(new Error('connect ECONNREFUSED 10.1.2.3:6379'))).toMatchObject({
    code: 'store_unavailable',
    message: 'Redis cannot be reached.',
  });
  const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
  expect(storeError(expired)).toMatchObject({ code: 'invalid_setting', details: { setting: 'tls' } });
  expect(storeError(new TypeError('x'))).toMatchObject({ code: 'internal' });
});
