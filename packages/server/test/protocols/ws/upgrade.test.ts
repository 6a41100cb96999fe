import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { postJson, runService, sample } from '../../running-service.ts';
import { WsClient } from './ws-client.ts';

const WISH = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** What comes back to a request for a WebSocket: 101, or a problem. */
async function ask(url: string, headers: Record<string, string | undefined>, method = 'GET', path = '/ws') {
  const given = Object.fromEntries(Object.entries({ ...WISH, ...headers }).filter(([, value]) => value !== undefined));
  const asked = request(`${url}${path}`, { method, headers: given as Record<string, string>, agent: false });
  onTestFinished(() => void asked.destroy());
  asked.end();
  const upgraded = once(asked, 'upgrade').then(([response]) => ({ response, body: '' }));
  const answered = once(asked, 'response').then(async ([response]) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { response, body: Buffer.concat(chunks).toString() };
  });
  const { response, body } = await Promise.race([upgraded, answered]);
  const { statusCode, headers: received } = response as IncomingMessage;
  return { status: statusCode, headers: received, problem: body === '' ? undefined : JSON.parse(body) };
}

/** Of one allowed origin, everything that is nearly it, and the classics. */
const ALLOWED = 'https://app.example:8443';
const NEARLY = [
  'null',
  '',
  'https://app.example',
  'https://app.example:443',
  'https://app.example:8444',
  'http://app.example:8443',
  'https://app.example:8443/',
  'https://app.example:8443.evil.test',
  'https://evil.test/https://app.example:8443',
  'https://evilapp.example:8443',
  'https://app.example.evil.test:8443',
  'https://sub.app.example:8443',
  'HTTPS://APP.EXAMPLE:8443',
  'https://App.example:8443',
  'https://app.example:8443@evil.test',
  'https://app.example%3A8443',
  'file://',
  '*',
  'wss://app.example:8443',
  'https://app.example:8443, https://evil.test',
  'https://app。example:8443',
];

describe('the way to a WebSocket', () => {
  it('lets in only listed origins, exactly, the own one, and programs, which send none', async () => {
    const { url } = await runService({ allowedOrigins: [ALLOWED] });
    const passed = async (origin: string | undefined) => (await ask(url, { origin })).status === 101;
    for (const origin of [undefined, ALLOWED, url]) expect(await passed(origin), `${origin}`).toBe(true);
    for (const origin of NEARLY) {
      const given = Buffer.from(origin).toString('latin1');
      expect(await ask(url, { origin: given }), origin).toMatchObject({
        status: 400,
        problem: { code: 'invalid_request', pointer: '/origin' },
      });
    }
    for (const origin of [url.replace('http:', 'https:'), `${url}.evil.test`, url.replace(/\d$/, '')]) {
      expect(await passed(origin), origin).toBe(false);
    }
  });

  it('judges the origin also where something in front decides who gets in', async () => {
    const { url } = await runService({ allowUnauthenticated: true, allowedOrigins: [ALLOWED] });
    expect((await ask(url, { host: 'events.example', origin: 'https://evil.test' })).status).toBe(400);
    expect((await ask(url, { host: 'events.example', origin: ALLOWED })).status).toBe(101);
  });

  it('refuses a host that could be made to mean this machine', async () => {
    const { url } = await runService();
    for (const host of ['evil.test', 'evil.test:3004', 'localhost.evil.test']) {
      expect((await ask(url, { host })).problem, host).toMatchObject({ code: 'invalid_request', status: 400 });
    }
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:3004']) {
      expect((await ask(url, { host })).status, host).toBe(101);
    }
  });

  it('refuses what is no handshake, in the form of every other error', async () => {
    const { url } = await runService();
    for (const headers of [
      { 'sec-websocket-key': undefined },
      { 'sec-websocket-key': 'short' },
      { 'sec-websocket-version': '12' },
      { 'sec-websocket-protocol': 'a b' },
    ]) {
      expect(await ask(url, headers), JSON.stringify(headers)).toMatchObject({
        status: 400,
        headers: { 'content-type': 'application/problem+json' },
        problem: { code: 'invalid_request' },
      });
    }
  });

  it('answers other wishes to change the protocol as if they had not been there', async () => {
    const { url } = await runService();
    expect((await ask(url, { upgrade: 'h2c' }, 'GET', '/health')).status).toBe(200);
    expect((await ask(url, {}, 'GET', '/elsewhere')).problem).toMatchObject({ code: 'route_not_found' });
    expect((await ask(url, {}, 'POST')).problem).toMatchObject({ code: 'method_not_allowed' });
    const plain = await ask(url, { upgrade: undefined, connection: undefined });
    expect(plain).toMatchObject({ status: 426, headers: { upgrade: 'websocket' }, problem: { status: 426 } });
  });

  it('selects our sub-protocol among others, and none when ours is not offered', async () => {
    const { url } = await runService();
    const client = new WsClient(url, ['other', 'event-manager.v1']);
    await client.until(({ frames }) => frames.length > 0);
    expect(client.socket.protocol).toBe('event-manager.v1');
    const { status, headers } = await ask(url, { 'sec-websocket-protocol': 'other' });
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, undefined]);
  });

  it('is open to so many, and to the next when one has left', async () => {
    const { url } = await runService({ wsConnectionsMax: 2 });
    const first = await WsClient.open(url);
    await WsClient.open(url);
    const refused = await ask(url, {});
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '5' }, problem: { code: 'overloaded' } });
    await first.close();
    while ((await ask(url, {})).status !== 101) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('pages of other origins over HTTP', () => {
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };

  async function options(url: string, origin: string) {
    const asked = request(`${url}/events`, { method: 'OPTIONS', headers: { origin, ...preflight }, agent: false });
    asked.end();
    const [response] = await once(asked, 'response');
    response.resume();
    return response as IncomingMessage;
  }

  it('may ask and read when they are listed, exactly; never with credentials, never by a wildcard', async () => {
    const { url } = await runService({ allowedOrigins: [ALLOWED] });
    const asked = await options(url, ALLOWED);
    expect(asked.statusCode).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': ALLOWED,
      'access-control-allow-methods': expect.stringContaining('PATCH'),
      'access-control-allow-headers': expect.stringContaining('content-type'),
      vary: 'origin',
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json', origin: ALLOWED } };
    const answer = await fetch(`${url}/events`, { ...init, body: JSON.stringify(sample()) });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ALLOWED);
    const refused = await fetch(`${url}/events`, { ...init, body: '{}' });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([400, ALLOWED]);
    for (const origin of NEARLY) {
      const { statusCode, headers } = await options(url, Buffer.from(origin).toString('latin1'));
      expect(statusCode, origin).toBeGreaterThanOrEqual(400);
      expect(headers['access-control-allow-origin'], origin).toBeUndefined();
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  it('may read a stream when they are listed', async () => {
    const { url } = await runService({ allowedOrigins: [ALLOWED] });
    const asked = request(`${url}/events/stream`, { headers: { origin: ALLOWED }, agent: false });
    onTestFinished(() => void asked.destroy());
    asked.end();
    const [response] = await once(asked, 'response');
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': ALLOWED,
      'content-type': 'text/event-stream',
    });
  });

  it('changes nothing for anybody when none is listed', async () => {
    const { url } = await runService();
    const { headers } = await postJson(`${url}/events`, sample());
    expect([headers.get('vary'), headers.get('access-control-allow-origin')]).toEqual([null, null]);
  });
});
