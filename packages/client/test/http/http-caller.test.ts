import { webRuntime } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { HttpCaller } from '../../src/http/http-caller.ts';
import { httpStandIn, problem } from '../support/http-stand-in.ts';

const caller = (url: string, requestTimeoutMs = 5_000) =>
  new HttpCaller({ url, runtime: webRuntime, requestTimeoutMs });
const get = { method: 'GET', path: '/x', isRepeatable: true } as const;

/** If this broke, an application would have to know about restarts, or would do something twice that it asked for once. */
describe('a request over HTTP', () => {
  it('throws the error of the service, with code, place and facts', async () => {
    const { url, asked } = await httpStandIn((_asked, response) =>
      problem(response, 400, { code: 'invalid_query', detail: 'No.', pointer: '/limit', details: { maximum: 7 } }),
    );
    await expect(caller(url).call(get)).rejects.toMatchObject({
      code: 'invalid_query',
      message: 'No.',
      retryable: false,
      details: { pointer: '/limit', maximum: 7 },
    });
    expect(asked).toHaveLength(1);
  });

  it('keeps an error code of a newer service as a fact', async () => {
    const { url } = await httpStandIn((_asked, response) => problem(response, 418, { code: 'teapot', detail: 'No.' }));
    await expect(caller(url).call(get)).rejects.toMatchObject({ code: 'internal', details: { code: 'teapot' } });
  });

  it('waits as long as the service asks, and tries again', async () => {
    const { url, asked } = await httpStandIn((_asked, response, count) => {
      if (count === 1) problem(response, 503, { code: 'not_ready', detail: 'Soon.' }, { 'retry-after': '1' });
      else response.end('{"fine":true}');
    });
    const startMs = performance.now();
    await expect(caller(url).call({ ...get, method: 'POST', isRepeatable: false })).resolves.toEqual({ fine: true });
    expect(performance.now() - startMs).toBeGreaterThan(950);
    expect(asked).toHaveLength(2);
  });

  it('says why when its time is used up', async () => {
    const { url } = await httpStandIn((_asked, response) =>
      problem(response, 503, { code: 'disk_full', detail: 'Full.' }, { 'retry-after': '60' }),
    );
    const refused = caller(url, 2_000).call(get);
    await expect(refused).rejects.toMatchObject({ code: 'disk_full', details: { retryAfterMs: 60_000 } });
  });

  it('repeats what may be repeated when there was no answer', async () => {
    const { url } = await httpStandIn((_asked, response, count) => {
      if (count === 1) response.destroy();
      else response.end('{}');
    });
    await expect(caller(url).call(get)).resolves.toEqual({});
  });

  it('does not repeat what may have been done', async () => {
    const { url, asked } = await httpStandIn((_asked, response) => response.destroy());
    const refused = caller(url).call({ method: 'POST', path: '/x', isRepeatable: false, body: '{}' });
    await expect(refused).rejects.toMatchObject({ code: 'unreachable', retryable: true });
    expect(asked).toHaveLength(1);
  });

  it('takes it for done when something to be removed is gone at the second try', async () => {
    const { url } = await httpStandIn((_asked, response, count) => {
      if (count === 1) response.destroy();
      else problem(response, 404, { code: 'subscription_not_found', detail: 'Gone.' });
    });
    await expect(caller(url).call({ ...get, method: 'DELETE' })).resolves.toBeUndefined();
  });

  it('takes the pages of a proxy for a service that is away', async () => {
    const { url } = await httpStandIn((_asked, response) => response.writeHead(502).end('<h1>Bad gateway</h1>'));
    const refused = caller(url, 1_500).call(get);
    await expect(refused).rejects.toMatchObject({ code: 'unreachable', details: { status: 502 } });
  });

  it('says so when something else than an event manager answers', async () => {
    const bodies = ['<html>', '[]', 'null', ''];
    const { url } = await httpStandIn((_asked, response, count) => response.end(bodies[count - 1]));
    for (const _ of bodies) {
      const refused = caller(url).call(get);
      await expect(refused).rejects.toMatchObject({ code: 'internal', details: { status: 200 } });
    }
  });

  it('ends with the client', async () => {
    const { url } = await httpStandIn(() => {});
    const calling = caller(url);
    const refused = calling.call(get);
    calling.close();
    await expect(refused).rejects.toMatchObject({ code: 'closed' });
    await expect(calling.call(get)).rejects.toMatchObject({ code: 'closed' });
  });
});
