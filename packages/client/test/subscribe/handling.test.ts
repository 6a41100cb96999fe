import type { DeliveryContext, Event } from '@event-manager/core';
import { expect, it } from 'vitest';
import { callHandler } from '../../src/subscribe/handling.ts';

/** What is thrown and has no words: `String` of it throws. */
const wordless = Object.create(null) as object;

/** If this failed, a handler could end the program by what it throws. */
it.each([
  [
    'throws',
    () => {
      throw wordless;
    },
  ],
  ['rejects with', () => Promise.reject(wordless)],
  ['reports', () => ({ success: false, error: wordless })],
  ['reports later', async () => ({ success: false, error: wordless })],
])('takes for a failure what a handler %s, also when it has no words', async (_how, handler) => {
  const outcome = callHandler({ handler }, [{} as Event], [{} as DeliveryContext]);
  expect(await outcome).toEqual({ status: 'failed', retry: true, error: 'The handler reported a failure.' });
});
