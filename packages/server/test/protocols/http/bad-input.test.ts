import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Configuration } from '../../../src/index.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { MALFORMED_REQUESTS } from './malformed-requests.ts';

/** Nothing of the machine may be in an answer: stack frames, file names, source paths. */
const LEAK = /\n\s+at |\.ts:\d|node_modules|\/work\/|\/home\/|\/tmp\//;

it.each(['memory', 'journal'] as const)(
  'answers every malformed request with its problem, stores nothing of it, and lives on (%s)',
  async (adapter) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-bad-input-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const { url } = await runService({ adapter, dataDir });
    const wrong: unknown[] = [];
    for (const { name, method = 'GET', path, headers, body, code, pointer } of MALFORMED_REQUESTS) {
      const init = { method, headers: headers ?? {}, ...(body === undefined ? {} : { body }) };
      const answer = await call(`${url}${path}`, init);
      const { body: problem } = answer;
      const isRight =
        answer.status >= 400 &&
        answer.status < 500 &&
        answer.headers.get('content-type')?.startsWith('application/problem+json') === true &&
        problem.status === answer.status &&
        problem.code === code &&
        typeof problem.requestId === 'string' &&
        (pointer === undefined || problem.pointer === pointer) &&
        !LEAK.test(JSON.stringify(problem));
      if (!isRight)
        wrong.push({ name, path: path.slice(0, 80), wanted: { code, pointer }, got: [answer.status, problem] });
      expect(({} as { polluted?: unknown }).polluted, name).toBeUndefined();
    }
    expect(wrong).toEqual([]);
    expect(MALFORMED_REQUESTS.length).toBeGreaterThanOrEqual(200);

    const health = await call(`${url}/health`);
    expect(health.body).toMatchObject({ status: 'ok', head: 0, subscriptions: 0 });
    expect((await postJson(`${url}/events`, sample())).status).toBe(201);
    process.stdout.write(`${MALFORMED_REQUESTS.length} malformed requests refused\n`);
  },
);

it('stores the good events of a batch and names each bad one', async () => {
  const { url } = await runService();
  const bad = MALFORMED_REQUESTS.filter(
    ({ path, code, body }) => path === '/events' && code === 'invalid_event' && typeof body === 'string',
  );
  const events = bad.flatMap(({ body }) => [sample(), JSON.parse(body as string)]);
  const { status, body } = await postJson(`${url}/events/batch`, events);
  expect(status).toBe(207);
  expect(body).toMatchObject({ stored: bad.length, failed: bad.length });
  for (const [index, result] of body.results.entries()) {
    const { pointer } = index % 2 === 0 ? { pointer: undefined } : bad[(index - 1) / 2]!;
    if (pointer !== undefined) expect(result.error.pointer).toBe(`/${index}${pointer}`);
  }
});

it.each([
  ['noise', '\u0001\u0002\r\n\r\n', 400],
  ['an unknown version', 'GET / HTTP/9.9\r\nhost: localhost\r\n\r\n', 400],
  ['no host', 'GET /health HTTP/1.1\r\n\r\n', 400],
  ['no host to a trusted proxy', 'GET /health HTTP/1.1\r\n\r\n', 400, { allowUnauthenticated: true }],
  ['an unknown expectation', 'POST /events HTTP/1.1\r\nhost: localhost\r\nexpect: foo\r\n\r\n', 417],
  ['a wish for a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nhost: localhost\r\n\r\n', 405],
  ['TRACE', 'TRACE /events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 405],
  ['PROPFIND', 'PROPFIND /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 405],
  ['a header with a space before the colon', 'GET /health HTTP/1.1\r\nhost: localhost\r\na : b\r\n\r\n', 400],
  ['two lengths', 'POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}', 400],
  [
    'length and chunks',
    'POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'a broken chunk',
    'POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    400,
  ],
  ['headers over the limit', `GET /health HTTP/1.1\r\nhost: localhost\r\na: ${'b'.repeat(17_000)}\r\n\r\n`, 431],
] as [string, string, number, Partial<Configuration>?][])(
  'answers %s as a problem, and closes',
  async (_name, bytes, status, settings) => {
    const { url } = await runService(settings);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.write(bytes);
    await once(socket, 'close');
    const answer = Buffer.concat(parts).toString();
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/content-type: application\/problem\+json/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ status, code: expect.any(String) });
    expect(answer).not.toMatch(LEAK);
    expect((await call(`${url}/livez`)).status).toBe(200);
  },
);

it('gives up a request that trickles', async () => {
  const { url } = await runService({ requestTimeoutMs: 1_000 });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.write(
    'POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  );
  await once(socket, 'close');
  expect(Buffer.concat(parts).toString()).toMatch(/^HTTP\/1.1 408 .*"code":"invalid_request"/s);
});

it.each([
  ['evil.example', 400],
  ['evil.example:3004', 400],
  ['localhost.evil.example', 400],
  ['127.0.0.1.evil.example', 400],
  ['localhost', 200],
  ['LOCALHOST:3004', 200],
  ['127.0.0.1:1', 200],
  ['[::1]:3004', 200],
])(
  'answers a request for the host "%s" with %i, so that no web page can make its name mean this machine',
  async (host, status) => {
    const { url } = await runService();
    expect(await statusFor(url, host)).toBe(status);
  },
);

it('answers for every host when somebody else decides who gets in', async () => {
  const { url } = await runService({ allowUnauthenticated: true });
  expect(await statusFor(url, 'events.example')).toBe(200);
});

async function statusFor(url: string, host: string): Promise<number | undefined> {
  const request = get(`${url}/events`, { headers: { host } });
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}
