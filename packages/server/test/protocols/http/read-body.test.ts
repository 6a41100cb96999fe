import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { EventManagerError } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { BodyBudget } from '../../../src/protocols/http/body-budget.ts';
import { readBody } from '../../../src/protocols/http/read-body.ts';
import { configure } from '../../configure.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

const MIB = 1024 * 1024;
const tooLarge = () => new EventManagerError('body_too_large', 'Too large.');

it.each([
  ['/events/batch', 'application/json'],
  ['/subscriptions', 'application/json'],
  ['/events/batch', 'application/x-ndjson'],
])('holds about as much as was sent to %s as %s, also when each byte is a chunk', async (path, type) => {
  const { url } = await runService();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`;
  socket.write(head);
  const chunks = Buffer.from('1\r\na\r\n'.repeat(10_000));
  const before = process.memoryUsage().rss;
  let most = 0;
  for (let sent = 0; sent < MIB; sent += 10_000) {
    if (!socket.write(chunks)) await once(socket, 'drain');
    most = Math.max(most, process.memoryUsage().rss - before);
  }
  await call(`${url}/livez`);
  most = Math.max(most, process.memoryUsage().rss - before);
  // With an object for each chunk this was 400 MiB.
  expect(most).toBeLessThan(150 * MIB);
});

it('refuses what is announced too large without reading it', async () => {
  const budget = new BodyBudget(10);
  const body = new PassThrough();
  const reading = readBody(body, { bytesMax: 5, announced: 6, budget, tooLarge }, () => {});
  await expect(reading).rejects.toMatchObject({ code: 'body_too_large' });
});

it('gives the memory of a body back, whatever becomes of it', async () => {
  const budget = new BodyBudget(10);
  const read = (
    chunks: readonly string[],
    end: (body: PassThrough) => void,
    use = (bytes: Uint8Array) => bytes.length,
  ) => {
    const body = new PassThrough();
    const reading = readBody(body, { bytesMax: 8, announced: undefined, budget, tooLarge }, use);
    for (const chunk of chunks) body.write(chunk);
    end(body);
    return reading;
  };
  const finish = (body: PassThrough) => void body.end();
  expect(await read(['abc'], finish)).toBe(3);
  await expect(read(['abc', 'def', 'ghi'], finish)).rejects.toMatchObject({ code: 'overloaded' });
  await expect(read(['abcdefghi'], finish)).rejects.toMatchObject({ code: 'body_too_large' });
  await expect(read(['abc'], (body) => void body.destroy())).rejects.toMatchObject({ code: 'invalid_request' });
  const failing = read(['abc'], finish, () => {
    throw new EventManagerError('invalid_json', 'No.');
  });
  await expect(failing).rejects.toMatchObject({ code: 'invalid_json' });
  expect(budget.held).toBe(0);
});

it('answers overloaded when the bodies of others hold all there is', async () => {
  const { limits } = configure();
  const { url } = await runService({ limits: { ...limits, bodiesBytesMax: 1_000 } });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const type = 'content-type: application/json';
  socket.write(
    `POST /events HTTP/1.1\r\nhost: localhost\r\n${type}\r\ncontent-length: 1000\r\n\r\n{"type":${' '.repeat(950)}`,
  );
  let answer = await postJson(`${url}/events`, sample());
  while (answer.status === 201) answer = await postJson(`${url}/events`, sample());
  expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([429, 'overloaded', '1']);
  socket.destroy();
  while (answer.status === 429) answer = await postJson(`${url}/events`, sample());
  expect(answer.status).toBe(201);
});

it.each(['/events', '/events/batch', '/subscriptions'])(
  'refuses a body of more values than may be read at once on %s, before it is read',
  async (path) => {
    const { url } = await runService();
    const many = `{"a":"\\\\,,","b":[${'1,'.repeat(100_000)}1]}`;
    const { status, body } = await postJson(`${url}${path}`, many);
    expect([status, body.code, body.details]).toEqual([
      413,
      'body_too_large',
      { limit: 'bodyValuesMax', maximum: 100_000 },
    ]);
    const text = `{"payload":"${',[{'.repeat(100_000)}\\",,","x":1}`;
    expect((await postJson(`${url}${path}`, text)).body.details?.limit).not.toBe('bodyValuesMax');
  },
);

it('refuses a body that no event can need with event_too_large, and the connection goes on', async () => {
  const { url } = await runService();
  const answer = await postJson(`${url}/events`, `{"payload":"${'x'.repeat(600_000)}"}`);
  expect([answer.status, answer.body.code, answer.headers.get('connection')]).toEqual([
    413,
    'event_too_large',
    'keep-alive',
  ]);
  // As Python writes it: each of these characters is six bytes in the body and three in the store.
  const escaped = `{"type":"a.b","source":"s","payload":{"x":"${'\\u4e2d'.repeat(70_000)}"}}`;
  expect((await postJson(`${url}/events`, escaped)).status).toBe(201);
});
