import { webRuntime } from '@event-manager/core';
import { expect, it } from 'vitest';
import { boundedText } from '../../src/http/bounded-text.ts';
import { HttpCaller } from '../../src/http/http-caller.ts';
import { httpStandIn } from '../support/http-stand-in.ts';

it('reads a text whose characters are cut by the chunks', async () => {
  const bytes = new TextEncoder().encode('{"a":"ü𝄞"}');
  const parts = [bytes.slice(0, 7), bytes.slice(7, 10), bytes.slice(10)];
  expect(await boundedText(new Response(new Blob(parts)))).toBe('{"a":"ü𝄞"}');
  expect(await boundedText(new Response(null))).toBe('');
  expect(await boundedText(new Response('abc'), 3)).toBe('abc');
  await expect(boundedText(new Response('abcd'), 3)).rejects.toMatchObject({ code: 'internal', retryable: false });
});

/** An address that was mistyped can lead to anything, a camera for example, which never stops to send. */
it('ends a request whose answer has no end, and the connection with it', { timeout: 60_000 }, async () => {
  const closed = Promise.withResolvers<void>();
  const { url, asked } = await httpStandIn((_asked, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const send = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', send).on('close', closed.resolve);
    send();
  });
  const caller = new HttpCaller({ url, runtime: webRuntime, requestTimeoutMs: 50_000 });
  await expect(caller.call({ method: 'GET', path: '/x', isRepeatable: true })).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('does not come from an event manager'),
  });
  await closed.promise;
  expect(asked).toHaveLength(1);
});
