import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Configuration } from '../../../src/index.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

const HOST = 'host: localhost\r\n';
const JSON_TYPE = 'content-type: application/json\r\n';
const event = (number: number) => JSON.stringify(sample({ payload: { number } }));

async function dial(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the service closes. */
async function everything(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(parts).toString();
}

async function say(url: string, bytes: string): Promise<string> {
  const socket = await dial(url);
  const answer = everything(socket);
  socket.write(bytes);
  return answer;
}

const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

const ATTACKERS = 250;
const DRIP_EVERY_MS = 10;

/** Each begins as a request does and then sends a byte now and then: what it says is never whole. */
const SLOW: readonly (readonly [name: string, begin: string, drip: string, status: number])[] = [
  ['headers', `GET /health HTTP/1.1\r\n${HOST}`, 'x-a: b\r\n', 408],
  ['a header that never ends', `GET /health HTTP/1.1\r\n${HOST}x-a: `, 'b', 408],
  ['a request line', 'GET /', 'a', 408],
  ['a body', `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: 5000\r\n\r\n{`, ' ', 408],
  [
    'a body in chunks',
    `POST /events/batch HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n`,
    '1\r\n \r\n',
    408,
  ],
];

it.each(SLOW)(
  'gives up %s sent byte by byte on 250 connections, and serves everybody else meanwhile',
  async (name, begin, drip, status) => {
    const { url } = await runService({ requestTimeoutMs: 3_000 });
    const sockets = await Promise.all(Array.from({ length: ATTACKERS }, () => dial(url)));
    const answers = sockets.map(everything);
    for (const socket of sockets) socket.write(begin);
    let isOver = false;
    const dripping = (async () => {
      for (let at = 0; !isOver; at = (at + 1) % ATTACKERS) {
        if (sockets[at]!.writable) sockets[at]!.write(drip);
        // Slow enough that the limit on the size of headers is not reached first, on however fast a machine.
        if (at === 0) await new Promise((resolve) => setTimeout(resolve, DRIP_EVERY_MS));
      }
    })();
    let served = 0;
    const serving = (async () => {
      while (!isOver) {
        const { body } = await postJson(`${url}/events`, event(served));
        expect((await call(`${url}/events/${body.id}`)).status).toBe(200);
        served++;
      }
    })();
    const told = await Promise.all(answers);
    isOver = true;
    await Promise.all([dripping, serving]);
    // Whoever still writes when the connection is closed may lose the answer: it is reset.
    const seen = told.filter((answer) => answer !== '').map((answer) => statuses(answer)[0]);
    process.stdout.write(
      `${JSON.stringify({ slow: name, connections: ATTACKERS, closed: told.length, told: seen.length, served })}\n`,
    );
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([status]));
    expect(served).toBeGreaterThan(0);
    expect((await call(`${url}/livez`)).status).toBe(200);
  },
);

it('closes connections that never say anything, and takes others in their place', async () => {
  const { url } = await runService({ connectionTimeoutMs: 1_000, connectionsMax: 50 });
  const silent = await Promise.all(Array.from({ length: 60 }, () => dial(url)));
  await Promise.all(silent.map(everything));
  expect((await call(`${url}/livez`)).status).toBe(200);
});

const smuggled = 'GET /health HTTP/1.1\r\nhost: localhost\r\nx-smuggled: 1\r\n\r\n';
const REFUSED: readonly (readonly [name: string, bytes: string, status: number])[] = [
  ['headers of 16 KiB and a byte', `GET /health HTTP/1.1\r\n${HOST}x-a: ${'b'.repeat(16 * 1024)}\r\n\r\n`, 431],
  ['ten thousand headers', `GET /health HTTP/1.1\r\n${HOST}${'a:b\r\n'.repeat(10_000)}\r\n`, 431],
  ['an address of 16 KiB and a byte', `GET /events?topic=${'a'.repeat(16 * 1024)} HTTP/1.1\r\n${HOST}\r\n`, 431],
  [
    'a length and chunks',
    `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  [
    'chunks and a length',
    `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  ['two lengths', `POST /events HTTP/1.1\r\n${HOST}content-length: 0\r\ncontent-length: 44\r\n\r\n${smuggled}`, 400],
  ['a list of lengths', `POST /events HTTP/1.1\r\n${HOST}content-length: 0, 44\r\n\r\n${smuggled}`, 400],
  ['a length with a sign', `POST /events HTTP/1.1\r\n${HOST}content-length: +2\r\n\r\n{}`, 400],
  ['a negative length', `POST /events HTTP/1.1\r\n${HOST}content-length: -1\r\n\r\n`, 400],
  ['a length in hexadecimal', `POST /events HTTP/1.1\r\n${HOST}content-length: 0x2\r\n\r\n{}`, 400],
  ['a length beyond all', `POST /events HTTP/1.1\r\n${HOST}content-length: 99999999999999999999\r\n\r\n{}`, 400],
  ['chunked twice', `POST /events HTTP/1.1\r\n${HOST}transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n`, 400],
  [
    'chunked and then identity',
    `POST /events HTTP/1.1\r\n${HOST}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'an unknown coding',
    `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'a chunk of a negative size',
    `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n-1\r\n\r\n`,
    400,
  ],
  [
    'a chunk size with a bare line feed',
    `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n2\n{}\n0\n\n`,
    400,
  ],
  [
    'a chunk that is longer than it says',
    `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`,
    400,
  ],
  ['bare line feeds between headers', 'GET /health HTTP/1.1\nhost: localhost\n\n', 400],
  ['a bare carriage return in a header', `GET /health HTTP/1.1\r\n${HOST}x-a: b\rc: d\r\n\r\n`, 400],
  ['NUL in a header', `GET /health HTTP/1.1\r\n${HOST}x-a: b\u0000c\r\n\r\n`, 400],
  ['a folded header', `GET /health HTTP/1.1\r\n${HOST}x-a: b\r\n c\r\n\r\n`, 400],
  ['a header without a colon', `GET /health HTTP/1.1\r\n${HOST}xa\r\n\r\n`, 400],
  ['a header without a name', `GET /health HTTP/1.1\r\n${HOST}: b\r\n\r\n`, 400],
  ['a space before the colon', `GET /health HTTP/1.1\r\n${HOST}transfer-encoding : chunked\r\n\r\n`, 400],
  ['a space before the first header', `GET /health HTTP/1.1\r\n ${HOST}\r\n`, 400],
  ['HTTP/0.9', 'GET /health\r\n\r\n', 400],
  ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 400],
  ['an unknown method', `HACK /health HTTP/1.1\r\n${HOST}\r\n`, 400],
];

it.each(REFUSED)('refuses %s as a problem, closes, and reads nothing behind it', async (_name, bytes, status) => {
  const { url } = await runService();
  const answer = await say(url, bytes);
  expect(statuses(answer)).toEqual([status]);
  expect(answer).toMatch(/content-type: application\/problem\+json/i);
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, code: 'invalid_request' });
  expect((await call(`${url}/health`)).body.head).toBe(0);
});

it('takes headers up to its limit', async () => {
  const { url } = await runService();
  const answer = await say(
    url,
    `GET /livez HTTP/1.1\r\n${HOST}connection: close\r\nx-a: ${'b'.repeat(15 * 1024)}\r\n\r\n`,
  );
  expect(statuses(answer)).toEqual([200]);
});

it('answers requests that were sent without waiting one by one, in order, also behind one that is refused', async () => {
  const { url } = await runService();
  const count = 200;
  const requests = Array.from({ length: count }, (_, number) => {
    const body = number % 10 === 9 ? '{"type":1}' : event(number);
    const close = number === count - 1 ? 'connection: close\r\n' : '';
    return `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}${close}content-length: ${body.length}\r\n\r\n${body}`;
  });
  const answer = await say(url, requests.join(''));
  expect(statuses(answer)).toEqual(requests.map((_, number) => (number % 10 === 9 ? 400 : 201)));
  const { body } = await call(`${url}/events?limit=1000`);
  expect(body.data.map(({ payload }: { payload: { number: number } }) => payload.number)).toEqual(
    requests.map((_, number) => number).filter((number) => number % 10 !== 9),
  );
});

it.each([
  ['http://localhost/livez', 'localhost', 200],
  ['HTTP://127.0.0.1:99/livez', 'localhost', 200],
  ['http://evil.example/livez', 'localhost', 400],
  ['http://localhost/livez', 'evil.example', 400],
  ['http://evil.example/livez', 'evil.example', 400],
  ['ftp://evil.example/livez', 'localhost', 400],
  ['//evil.example/livez', 'localhost', 404],
  ['/livez', 'localhost, evil.example', 400],
  ['/livez', 'localhost@evil.example', 400],
  ['/livez', 'evil.example#localhost', 400],
  ['/livez', 'localhost\\evil.example', 400],
  ['/livez', '', 400],
  ['/livez', 'localhost.', 400],
  ['/livez', '127.0.0.1.nip.io', 400],
  ['/livez', '2130706433', 400],
])('answers the target %s with the host "%s" with %i', async (target, host, status) => {
  const { url } = await runService();
  const answer = await say(url, `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  expect(statuses(answer)).toEqual([status]);
});

it('takes two hosts for none', async () => {
  const { url } = await runService();
  for (const hosts of ['host: localhost\r\nhost: evil.example\r\n', 'host: evil.example\r\nhost: localhost\r\n']) {
    expect(statuses(await say(url, `GET /livez HTTP/1.1\r\n${hosts}connection: close\r\n\r\n`))).toEqual([400]);
  }
});

/** Whoever is behind a proxy says nothing here: headers that anybody can write decide nothing. */
it.each([
  'x-forwarded-for: 127.0.0.1',
  'x-forwarded-host: localhost',
  'x-forwarded-proto: https',
  'forwarded: for=127.0.0.1;host=localhost',
  'x-real-ip: 127.0.0.1',
  'x-original-url: /health',
  'x-rewrite-url: /health',
  'x-http-method-override: DELETE',
])('lets "%s" decide nothing', async (header) => {
  const { url } = await runService();
  const foreign = await say(
    url,
    `GET /events HTTP/1.1\r\nhost: evil.example\r\n${header}\r\nconnection: close\r\n\r\n`,
  );
  expect(statuses(foreign)).toEqual([400]);
  const unknown = await say(url, `GET /nowhere HTTP/1.1\r\n${HOST}${header}\r\nconnection: close\r\n\r\n`);
  expect(statuses(unknown)).toEqual([404]);
  const { body } = await postJson(`${url}/subscriptions`, { topic: 'never', endpoint: 'https://example.com/' });
  const path = `/subscriptions/${body.id}/pause`;
  const bytes = `POST ${path} HTTP/1.1\r\n${HOST}${header}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
  expect(statuses(await say(url, bytes))).toEqual([200]);
  expect((await call(`${url}/subscriptions/${body.id}`)).body.state).toBe('paused');
});

it('gives a connection up that is closed in the middle of anything, and goes on', async () => {
  const { url } = await runService();
  const whole = `POST /events HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: ${event(1).length}\r\n\r\n${event(1)}`;
  for (let length = 1; length < whole.length; length += 7) {
    const socket = await dial(url);
    socket.write(whole.slice(0, length));
    if (length % 2 === 0) socket.resetAndDestroy();
    else socket.end();
  }
  expect((await postJson(`${url}/events`, sample())).status).toBe(201);
  expect((await call(`${url}/health`)).body.head).toBe(1);
});

it('closes what is more than it may have, and goes on with what it has', async () => {
  const settings: Partial<Configuration> = { connectionsMax: 20 };
  const { url } = await runService(settings);
  const kept = await dial(url);
  const more = await Promise.all(Array.from({ length: 40 }, () => dial(url)));
  const closed = await Promise.all(more.slice(20).map(async (socket) => (await everything(socket)) === ''));
  expect(closed).toEqual(closed.map(() => true));
  kept.write(`GET /livez HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`);
  expect(statuses(await everything(kept))).toEqual([200]);
});
