import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startService } from '../../../src/index.ts';
import { configure } from '../../configure.ts';
import { type Answer, call, patchJson, postJson, runService, sample } from '../../running-service.ts';

const LOOPBACK = { webhookAllow: ['loopback'] };

/** A receiver that answers with the status it is told; `received` resolves with the first so many bodies. */
async function receiver(status = 200): Promise<{
  endpoint: string;
  received: (count: number) => Promise<unknown[]>;
  headers: () => IncomingHttpHeaders;
}> {
  const bodies: unknown[] = [];
  let headers: IncomingHttpHeaders = {};
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    headers = request.headers;
    for await (const chunk of request) chunks.push(chunk);
    bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(status).end();
    server.emit('received');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    async received(count) {
      while (bodies.length < count) await once(server, 'received');
      return bodies;
    },
    headers: () => headers,
  };
}

describe('subscriptions over HTTP', () => {
  it('creates, delivers, tells, lists and removes', async () => {
    const { url } = await runService(LOOPBACK);
    const { endpoint, received } = await receiver();
    const request = { name: 'orders', topic: 'order.*', endpoint };
    const created = await postJson(`${url}/subscriptions`, request);
    expect(created.status).toBe(201);
    const { id } = created.body;
    expect(created.headers.get('location')).toBe(`/subscriptions/${id}`);
    await postJson(`${url}/events`, sample());
    expect(await received(1)).toMatchObject([{ type: 'order.created', payload: { total: 12.5 } }]);
    expect((await call(`${url}/subscriptions/${id}`)).body).toMatchObject({
      name: 'orders',
      endpoint,
      state: 'active',
    });
    expect((await call(`${url}/subscriptions`)).body.data.map((entry: { id: string }) => entry.id)).toEqual([id]);
    expect((await call(`${url}/subscriptions/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await call(`${url}/subscriptions/${id}`)).body.code).toBe('subscription_not_found');
    expect((await call(`${url}/subscriptions/${id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('answers 200 for the same name and definition, 409 for another one', async () => {
    const { url } = await runService(LOOPBACK);
    const request = { name: 'n', topic: '#', endpoint: 'http://127.0.0.1:1/' };
    expect((await postJson(`${url}/subscriptions`, request)).status).toBe(201);
    expect((await postJson(`${url}/subscriptions`, request)).status).toBe(200);
    const other = await postJson(`${url}/subscriptions`, { ...request, topic: 'a.*' });
    expect([other.status, other.body.code, other.body.pointer]).toEqual([409, 'subscription_conflict', '/name']);
  });

  it('pages through subscriptions in the order of their creation', async () => {
    const { url } = await runService();
    const ids: string[] = [];
    for (let number = 0; number < 7; number++) {
      const request = { name: `n${number}`, topic: '#', endpoint: 'https://example.com/' };
      ids.push((await postJson(`${url}/subscriptions`, request)).body.id);
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer = await call(`${url}/subscriptions?limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.body.data.map((entry: { id: string }) => entry.id));
      cursor = page.body.nextCursor;
    }
    // Those of one millisecond may change places; none is missed and none comes twice.
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  it('never tells a secret, the value of a header or of the query of an endpoint', async () => {
    const { url } = await runService(LOOPBACK);
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const request = {
      name: 'n',
      topic: '#',
      endpoint: 'http://127.0.0.1:1/hook?key=hidden-token&v=2&hidden-token',
      secret,
      headers: { authorization: 'Bearer hidden-token' },
    };
    const created = await postJson(`${url}/subscriptions`, request);
    expect(created.body).toMatchObject({ signed: true, headerNames: ['authorization'] });
    expect(created.body.endpoint).toBe('http://127.0.0.1:1/hook?key=***&v=***&***');
    const answers = [
      created,
      await postJson(`${url}/subscriptions`, request),
      await postJson(`${url}/subscriptions`, { ...request, topic: 'x' }),
      await call(`${url}/subscriptions`),
      await call(`${url}/subscriptions/${created.body.id}`),
      await postJson(`${url}/subscriptions`, { ...request, secret: 'whsec_!!! not base64 hidden-token' }),
    ];
    for (const { body } of answers) {
      expect(JSON.stringify(body)).not.toMatch(/MfKQ9r8|hidden-token/);
    }
  });

  it('refuses a webhook that could never be called before anything is stored', async () => {
    const { url } = await runService();
    const refusals: [object, string][] = [
      [{ endpoint: 'http://127.0.0.1:1/' }, 'endpoint_blocked'],
      [{ endpoint: 'http://[::1]/' }, 'endpoint_blocked'],
      [{ endpoint: 'http://169.254.169.254/latest/meta-data' }, 'endpoint_blocked'],
      [{ endpoint: 'http://2130706433/' }, 'endpoint_blocked'],
      [{ endpoint: 'http://localhost./' }, 'endpoint_blocked'],
      [{ endpoint: 'ftp://example.com/' }, 'invalid_endpoint'],
      [{ endpoint: 'https://example.com/', secret: 'short' }, 'invalid_subscription'],
      [{ endpoint: 'https://example.com/', headers: { 'content-length': '5' } }, 'invalid_subscription'],
      [{ endpoint: 'ws://127.0.0.1:1/' }, 'endpoint_blocked'],
      [{ endpoint: 'wss://example.com/', fallbackWebhook: 'http://10.0.0.1/' }, 'endpoint_blocked'],
      [{ endpoint: 'wss://example.com/', headers: { 'sec-websocket-version': '13' } }, 'invalid_subscription'],
      [{ endpoint: 'http://127.0.0.1:1/', realtime: true }, 'endpoint_blocked'],
    ];
    for (const [more, code] of refusals) {
      const { status, body } = await postJson(`${url}/subscriptions`, { name: 'n', topic: '#', ...more });
      expect([body.code, status >= 400 && status < 500], JSON.stringify(more)).toEqual([code, true]);
    }
    expect((await call(`${url}/subscriptions`)).body.data).toEqual([]);
  });

  it('pauses and resumes; what came meanwhile is delivered then', async () => {
    const { url } = await runService(LOOPBACK);
    const { endpoint, received } = await receiver();
    const { body } = await postJson(`${url}/subscriptions`, { name: 'n', topic: '#', endpoint });
    const act = (verb: string) => call(`${url}/subscriptions/${body.id}/${verb}`, { method: 'POST' });
    expect((await act('pause')).body.state).toBe('paused');
    await postJson(`${url}/events`, sample());
    expect((await call(`${url}/subscriptions/${body.id}`)).body.status).toMatchObject({ waiting: 1, inFlight: 0 });
    expect((await act('resume')).body.state).toBe('active');
    expect(await received(1)).toHaveLength(1);
    const unknown = await call(`${url}/subscriptions/x/pause`, { method: 'POST' });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'subscription_not_found']);
  });

  it('changes what is given, in any spelling, and leaves the rest', async () => {
    const { url } = await runService(LOOPBACK);
    const { endpoint, received } = await receiver();
    const created = await postJson(`${url}/subscriptions`, {
      name: 'n',
      topic: 'user.*',
      endpoint,
      headers: { authorization: 'Bearer hidden-token' },
      options: { max_concurrency: 3, retryPolicy: { maxRetries: 7 } },
    });
    const { id } = created.body;
    const changes = { topic: 'order.*', options: { timeout: 700, batch_size: 2 }, filter: { minimum_priority: 'LOW' } };
    const changed = await patchJson(`${url}/subscriptions/${id}`, changes);
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      id,
      name: 'n',
      topic: 'order.*',
      endpoint,
      headerNames: ['authorization'],
      filter: { priority: 3 },
      options: { maxConcurrency: 3, timeoutMs: 700, batchSize: 2, retry: { maxRetries: 7 } },
    });
    expect((await call(`${url}/subscriptions/${id}`)).body.topic).toBe('order.*');
    await postJson(`${url}/events`, sample());
    expect(await received(1)).toMatchObject([{ events: [{ type: 'order.created' }] }]);
  });

  it('refuses a change that a new subscription would be refused for, and changes nothing', async () => {
    const { url } = await runService({ webhookAllow: ['127.0.0.2'] });
    const request = { name: 'n', topic: '#', endpoint: 'http://127.0.0.2:1/' };
    const { body } = await postJson(`${url}/subscriptions`, request);
    const address = `${url}/subscriptions/${body.id}`;
    const refusals: [unknown, number, string, string][] = [
      [null, 400, 'invalid_subscription', ''],
      [[], 400, 'invalid_subscription', ''],
      ['x', 400, 'invalid_subscription', ''],
      [{ colour: 1 }, 400, 'invalid_subscription', '/colour'],
      [{ name: 'm' }, 400, 'invalid_subscription', '/name'],
      [{ topic: 'a*' }, 400, 'invalid_pattern', '/topic'],
      [{ filter: { colour: 1 } }, 400, 'invalid_filter', '/filter/colour'],
      [{ options: null }, 400, 'invalid_subscription', '/options'],
      [{ options: { batchSize: 5, batch_size: 6 } }, 400, 'invalid_subscription', '/options/batch_size'],
      [{ endpoint: 'http://127.0.0.1:1/' }, 403, 'endpoint_blocked', '/endpoint'],
      [{ endpoint: 'ws://127.0.0.1/' }, 403, 'endpoint_blocked', '/endpoint'],
      [{ realtime: true, fallbackWebhook: 'http://127.0.0.1/' }, 403, 'endpoint_blocked', '/fallbackWebhook'],
      [{ secret: 'short' }, 400, 'invalid_subscription', '/secret'],
    ];
    for (const [changes, status, code, pointer] of refusals) {
      const { body: problem } = await patchJson(address, changes);
      expect([problem.status, problem.code, problem.pointer], JSON.stringify(changes)).toEqual([status, code, pointer]);
    }
    const unknown = await patchJson(`${url}/subscriptions/x`, {});
    expect([unknown.status, unknown.body.code]).toEqual([404, 'subscription_not_found']);
    const { status: _progress, updatedAt: _at, ...before } = body;
    expect((await call(address)).body).toMatchObject(before);
  });

  it('lists by name, subscriber in every spelling, and state', async () => {
    const { url } = await runService();
    const endpoint = 'https://example.com/';
    for (const name of ['a', 'b', 'c']) {
      await postJson(`${url}/subscriptions`, { name, topic: '#', endpoint, service_name: name === 'c' ? 'y' : 'x' });
    }
    const names = async (query: string) => {
      const { body } = await call(`${url}/subscriptions?${query}`);
      return body.data?.map((entry: { name: string }) => entry.name) ?? body;
    };
    const [{ id }] = (await call(`${url}/subscriptions?name=b`)).body.data;
    await call(`${url}/subscriptions/${id}/pause`, { method: 'POST' });
    expect(await names('name=b')).toEqual(['b']);
    for (const spelling of ['subscriber', 'subscriberId', 'subscriber_id', 'serviceName', 'service_name']) {
      expect(await names(`${spelling}=x`), spelling).toHaveLength(2);
    }
    expect(await names('state=paused')).toEqual(['b']);
    expect(await names('state=active&subscriber=x')).toEqual(['a']);
    expect(await names('state=tired')).toMatchObject({ code: 'invalid_query', pointer: '/state' });
    const twice = { code: 'invalid_query', pointer: '/service_name' };
    expect(await names('subscriber=x&service_name=x')).toMatchObject(twice);
  });
});

describe('POST /subscriptions/:id/test', () => {
  it('sends an event through the sink of the subscription and tells what came back, storing nothing', async () => {
    const { url } = await runService(LOOPBACK);
    const { endpoint, received, headers } = await receiver();
    const secret = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';
    const request = { topic: 'never', endpoint, secret, headers: { 'x-tenant': 'a' } };
    const { body } = await postJson(`${url}/subscriptions`, request);
    await call(`${url}/subscriptions/${body.id}/pause`, { method: 'POST' });
    const answer = await call(`${url}/subscriptions/${body.id}/test`, { method: 'POST' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ status: 'delivered', httpStatus: 200, durationMs: expect.any(Number) });
    const [event] = await received(1);
    expect(event).toMatchObject({
      type: 'subscription.test',
      topic: '$sys/subscription/test',
      payload: { subscriptionId: body.id },
    });
    expect(headers()).toMatchObject({
      'x-tenant': 'a',
      'event-manager-subscription': body.id,
      'event-manager-attempt': '1',
      'webhook-signature': expect.stringMatching(/^v1,/),
    });
    expect((await call(`${url}/health`)).body.head).toBe(0);
    const { status } = (await call(`${url}/subscriptions/${body.id}`)).body;
    expect(status).toMatchObject({ waiting: 0, owed: 0, counts: { delivered: 0 } });
  });

  it.each([
    ['refuses', 503, { httpStatus: 503, error: { code: 'http_503' } }],
    ['is gone', 410, { httpStatus: 410, error: { code: 'http_410' } }],
  ])('tells that the receiver %s, and leaves the subscription as it is', async (_name, receives, told) => {
    const { url } = await runService(LOOPBACK);
    const { endpoint } = await receiver(receives);
    const { body } = await postJson(`${url}/subscriptions`, { topic: 'never', endpoint });
    const answer = await call(`${url}/subscriptions/${body.id}/test`, { method: 'POST' });
    expect(answer.body).toMatchObject({ status: 'failed', ...told });
    expect((await call(`${url}/subscriptions/${body.id}`)).body).toMatchObject({
      state: 'active',
      status: { owed: 0 },
    });
    expect((await call(`${url}/dead-letters`)).body.data).toEqual([]);
  });

  it('judges the endpoint as a delivery would, also one that was allowed once', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-blocked-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const { endpoint } = await receiver();
    const configuration = configure({ adapter: 'journal', dataDir });
    const logger = pino({ level: 'silent' });
    const before = await startService({ configuration: { ...configuration, ...LOOPBACK }, logger });
    const { body } = await postJson(`${before.url}/subscriptions`, { topic: 'never', endpoint });
    await before.stop();
    const { url } = await runService(configuration);
    const answer = await call(`${url}/subscriptions/${body.id}/test`, { method: 'POST' });
    expect(answer.body).toMatchObject({ status: 'failed', error: { code: 'endpoint_blocked' } });
    expect(answer.body.httpStatus).toBeUndefined();
    // What is not moved may stay where it is, so that the rest can be changed.
    expect((await patchJson(`${url}/subscriptions/${body.id}`, { topic: 'other' })).body.topic).toBe('other');
  });

  it('does not call many at once', async () => {
    const { url } = await runService(LOOPBACK);
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close().closeAllConnections());
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const { body } = await postJson(`${url}/subscriptions`, {
      topic: 'never',
      endpoint,
      options: { timeoutMs: 2_000 },
    });
    const tests = Array.from({ length: 40 }, () => call(`${url}/subscriptions/${body.id}/test`, { method: 'POST' }));
    const statuses = (await Promise.all(tests)).map(({ status }) => status).sort();
    expect(statuses.filter((status) => status === 200)).toHaveLength(16);
    expect(statuses.filter((status) => status === 429)).toHaveLength(24);
  });

  it('tells that nobody answers, or too late', async () => {
    const { url } = await runService(LOOPBACK);
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close().closeAllConnections());
    const { port } = silent.address() as AddressInfo;
    const test = async (endpoint: string) => {
      const options = { timeoutMs: 50 };
      const { body } = await postJson(`${url}/subscriptions`, { topic: 'never', endpoint, options });
      return (await call(`${url}/subscriptions/${body.id}/test`, { method: 'POST' })).body;
    };
    expect(await test('http://127.0.0.1:1/')).toMatchObject({
      status: 'failed',
      error: { code: 'connection_refused' },
    });
    expect(await test(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    const unknown = await call(`${url}/subscriptions/x/test`, { method: 'POST' });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'subscription_not_found']);
  });
});
