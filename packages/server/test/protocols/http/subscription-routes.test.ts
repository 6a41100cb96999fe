import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Answer, call, postJson, runService, sample } from '../../running-service.ts';

const LOOPBACK = { webhookAllow: ['loopback'] };

/** A receiver that answers with the status it is told; `received` resolves with the first so many bodies. */
async function receiver(status = 200): Promise<{ endpoint: string; received: (count: number) => Promise<unknown[]> }> {
  const bodies: unknown[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
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
      [{}, 'not_supported'],
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

  it('pages through dead letters', async () => {
    const { url } = await runService(LOOPBACK);
    const { endpoint, received } = await receiver(500);
    const options = { retryPolicy: { maxRetries: 0 } };
    const { body } = await postJson(`${url}/subscriptions`, { name: 'n', topic: '#', endpoint, options });
    for (let number = 0; number < 5; number++) await postJson(`${url}/events`, sample({ payload: { number } }));
    await received(5);
    const letters: { reason: string }[] = [];
    let cursor = '';
    // The letters are written after the answers of the receiver: asking again is the way to wait for them.
    while (letters.length < 5) {
      const page = await call(`${url}/subscriptions/${body.id}/dead-letters?limit=2${cursor}`);
      expect(page.status).toBe(200);
      if (page.body.nextCursor === null && letters.length + page.body.data.length < 5) {
        letters.length = 0;
        cursor = '';
        continue;
      }
      letters.push(...page.body.data);
      cursor = `&cursor=${page.body.nextCursor}`;
    }
    expect(new Set(letters.map((letter) => JSON.stringify(letter))).size).toBe(5);
    const wrong = await call(`${url}/subscriptions/${body.id}/dead-letters?cursor=x`);
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_cursor']);
  });
});
