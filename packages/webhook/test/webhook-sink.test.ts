import { systemRuntime } from '@event-manager/core';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { addressGuard } from '../src/address/address-guard.ts';
import { webhookSink } from '../src/webhook-sink.ts';
import { httpReceiver, type Received } from './receiver.ts';
import { delivery, sinkUnderTest, within } from './sink-under-test.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

async function accepting() {
  const received: Received[] = [];
  const receiver = await httpReceiver((request, response) => {
    received.push(request);
    response.end('ok');
  });
  return { receiver, received };
}

describe('what is sent', () => {
  it('sends the stored bytes of one event unchanged, signed, with its id and attempt', async () => {
    const { receiver, received } = await accepting();
    const body = '{"b":1, "a" : 1.0, "snow":"\u2603", "big":1e3}';
    const sent = delivery(body, 4);
    const outcomes = await sinkUnderTest(receiver.url, { secret: SECRET }).deliver([sent]);
    expect(outcomes).toEqual([{ status: 'delivered' }]);
    const { request, body: got } = received[0]!;
    expect(got.equals(Buffer.from(body))).toBe(true);
    expect(request.method).toBe('POST');
    expect(request.url).toBe('/hook');
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(got.length),
      'accept-encoding': 'identity',
      'user-agent': 'EventManager',
      'event-manager-attempt': '4',
      'event-manager-subscription': 'subscription-1',
      'webhook-id': sent.record.id,
    });
    new Webhook(SECRET).verify(got.toString(), request.headers as never);
  });

  it('sends a batch as {"events":[…]} of the stored bytes, with one outcome for all', async () => {
    const { receiver, received } = await accepting();
    const batch = [delivery('{"n": 1}'), delivery('{"n":2.0}', 3)];
    const { deliver } = sinkUnderTest(receiver.url, { batch: true, secret: SECRET });
    expect(await deliver(batch)).toEqual([{ status: 'delivered' }, { status: 'delivered' }]);
    expect(received[0]!.body.toString()).toBe('{"events":[{"n": 1},{"n":2.0}]}');
    expect(received[0]!.request.headers['event-manager-attempt']).toBe('3');
    new Webhook(SECRET).verify(received[0]!.body.toString(), received[0]!.request.headers as never);
  });

  it('gives a batch an id that is the same for the same events and another for others', async () => {
    const { receiver, received } = await accepting();
    const [a, b, c] = [delivery('{}'), delivery('{}'), delivery('{}')];
    const { deliver } = sinkUnderTest(receiver.url, { batch: true });
    for (const batch of [[a, b], [a, b], [a, c], [a]]) await deliver(batch);
    const ids = received.map(({ request }) => request.headers['webhook-id']);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
  });

  it('sends several deliveries one by one when batches were not asked for, each with its own outcome', async () => {
    const receiver = await httpReceiver(({ body }, response) => {
      response.statusCode = body.toString() === '{"n":2}' ? 500 : 204;
      response.end();
    });
    const outcomes = await sinkUnderTest(receiver.url).deliver([delivery('{"n":1}'), delivery('{"n":2}')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['delivered', 'retry']);
  });

  it('sends the headers of the subscription, but not unsigned when it has no secret', async () => {
    const { receiver, received } = await accepting();
    await sinkUnderTest(receiver.url, { headers: { Authorization: 'Bearer x', 'User-Agent': 'mine' } }).deliver([
      delivery('{}'),
    ]);
    expect(received[0]!.request.headers).toMatchObject({ authorization: 'Bearer x', 'user-agent': 'mine' });
    expect(received[0]!.request.headers['webhook-signature']).toBeUndefined();
  });

  it('uses a connection again', async () => {
    const { receiver } = await accepting();
    const { deliver } = sinkUnderTest(receiver.url);
    for (let n = 0; n < 20; n++) await deliver([delivery('{}')]);
    // Two, because a request may come before the first connection is known to be free again.
    expect(receiver.connections()).toBeLessThanOrEqual(2);
  });

  it('opens no more connections to one origin than the limit', async () => {
    const { receiver, received } = await accepting();
    const { deliver } = sinkUnderTest(receiver.url, {}, { connectionsMax: 3 });
    await deliver(Array.from({ length: 50 }, () => delivery('{}')));
    expect(received).toHaveLength(50);
    expect(receiver.connections()).toBeLessThanOrEqual(3);
  });
});

describe('what an answer means', () => {
  it.each([
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [301, 'retry'],
    [302, 'retry'],
    [307, 'retry'],
    [308, 'retry'],
    [400, 'retry'],
    [401, 'retry'],
    [404, 'retry'],
    [410, 'gone'],
    [429, 'busy'],
    [500, 'retry'],
    [503, 'retry'],
  ])('%i is %s', async (code, status) => {
    const receiver = await httpReceiver((_, response) => response.writeHead(code).end());
    const [outcome] = await sinkUnderTest(receiver.url).deliver([delivery('{}')]);
    expect(outcome).toMatchObject(status === 'delivered' ? { status } : { status, error: { code: `http_${code}` } });
  });

  it('does not follow a redirect', async () => {
    const { receiver: target } = await accepting();
    const receiver = await httpReceiver((_, response) => response.writeHead(307, { location: target.url }).end());
    const [outcome] = await sinkUnderTest(receiver.url).deliver([delivery('{}')]);
    expect(outcome).toMatchObject({ status: 'retry', error: { code: 'http_307' } });
    expect(target.connections()).toBe(0);
  });

  it('ignores proxies of the environment', async () => {
    const { receiver: proxy } = await accepting();
    const { receiver, received } = await accepting();
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url;
    try {
      await sinkUnderTest(receiver.url).deliver([delivery('{}')]);
    } finally {
      names.forEach((name, index) => {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      });
    }
    expect(received).toHaveLength(1);
    expect(proxy.connections()).toBe(0);
  });
});

describe('what is refused when the sink is made', () => {
  const guard = addressGuard();
  const make = (options: object) => () =>
    webhookSink({ endpoint: 'https://example.com/', runtime: systemRuntime, guard, ...options });

  it.each([
    [{ endpoint: 'http://127.0.0.1/' }, 'endpoint_blocked'],
    [{ endpoint: 'ftp://example.com/' }, 'invalid_endpoint'],
    [{ secret: 'whsec_short' }, 'invalid_subscription'],
    [{ headers: { 'webhook-signature': 'v1,x' } }, 'invalid_subscription'],
    [{ headers: { Host: 'inside' } }, 'invalid_subscription'],
    [{ headers: { 'x-a': 'b\r\nx-c: d' } }, 'invalid_subscription'],
    [{ headers: { 'x a': 'b' } }, 'invalid_subscription'],
    [{ headers: { 'x-a': 1 } }, 'invalid_subscription'],
    [{ headers: { 'transfer-encoding': 'chunked' } }, 'invalid_subscription'],
  ])('%j', (options, code) => {
    expect(make(options)).toThrow(expect.objectContaining({ code }));
  });

  it('judges the address again at each connection, and says so as an outcome', async () => {
    const { receiver } = await accepting();
    const open = addressGuard({ allow: ['loopback'] });
    // The endpoint was accepted while loopback was allowed; the guard of the connection no longer does.
    const strict = { trusts: () => false, refuses: guard.refuses };
    let judged = 0;
    const changing = {
      trusts: open.trusts,
      refuses: (address: string) => (judged++ === 0 ? open : strict).refuses(address),
    };
    const sink = webhookSink({ endpoint: receiver.url, runtime: systemRuntime, guard: changing });
    const [outcome] = await sink.deliver([delivery('{}')], within(2000));
    await sink.close();
    expect(outcome).toMatchObject({ status: 'retry', error: { code: 'endpoint_blocked' } });
    expect(receiver.connections()).toBe(0);
  });
});
