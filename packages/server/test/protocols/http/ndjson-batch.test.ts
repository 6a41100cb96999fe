import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { DEFAULT_LIMITS, EventManagerError, type PublishResult } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { BodyBudget } from '../../../src/protocols/http/body-budget.ts';
import { answerNdjson } from '../../../src/protocols/http/ndjson-batch.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

/** An upload by hand, so that it can stop anywhere. */
async function upload(
  url: string,
): Promise<{ socket: Socket; send: (text: string) => boolean; received: () => string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (data: Buffer) => {
    received += data.toString();
  });
  socket.write(
    'POST /events/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n',
  );
  const send = (text: string) => socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  return { socket, send, received: () => received };
}

const line = (number: number) => `${JSON.stringify(sample({ payload: { number } }))}\n`;

it('answers a line as soon as it is stored, while the upload goes on', async () => {
  const { url } = await runService();
  const { socket, send, received } = await upload(url);
  for (let number = 0; number < 5; number++) {
    send(line(number));
    while (!received().includes(`"index":${number},"status":201`)) await once(socket, 'data');
  }
  expect((await call(`${url}/events`)).body.data.length).toBe(5);
});

it('keeps what was stored when the connection breaks, and lives on', async () => {
  const { url } = await runService();
  const { socket, send, received } = await upload(url);
  send(line(0));
  while (!received().includes('"index":0')) await once(socket, 'data');
  send(line(1).slice(0, 20));
  socket.destroy();
  expect((await postJson(`${url}/events`, sample({ payload: { number: 2 } }))).status).toBe(201);
  const { body } = await call(`${url}/events`);
  expect(body.data.map(({ payload }: { payload: { number: number } }) => payload.number)).toEqual([0, 2]);
});

it('waits with its sender while too much is waiting for the store, and tells any other refusal for each line', async () => {
  const pauses: number[] = [];
  const refusals = [
    new EventManagerError('overloaded', 'Later.', { retryAfterMs: 300 }),
    new EventManagerError('overloaded', 'Later.'),
    new EventManagerError('disk_full', 'Full.', { retryAfterMs: 1_000 }),
  ];
  let answer = '';
  const batch = {
    body: (async function* () {
      yield Buffer.from(line(0) + line(1));
    })(),
    limits: DEFAULT_LIMITS,
    requestId: 'r',
    publish: () => Promise.reject(refusals.shift()),
    pause: async (delayMs: number) => void pauses.push(delayMs),
    nextTurn: async () => {},
    budget: new BodyBudget(1_000),
  };
  for await (const part of answerNdjson(batch)) answer += part;
  expect(pauses).toEqual([300, 100]);
  const results = answer
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text));
  const error = { code: 'disk_full', retryable: true, retryAfterMs: 1_000 };
  expect(results).toMatchObject([
    { index: 0, status: 503, error },
    { index: 1, status: 503, error },
  ]);
});

it('lets others have their turn while it refuses lines, says little of each, and ends after a thousand', async () => {
  const { url } = await runService();
  const { socket, send, received } = await upload(url);
  socket.on('error', () => {});
  send('0\n'.repeat(200_000));
  await once(socket, 'close');
  const lines = received().match(/^\{.*\}$/gm)!;
  expect(lines.length).toBe(1_001);
  expect(JSON.parse(lines[7]!)).toEqual({
    index: 7,
    status: 400,
    error: { code: 'invalid_event', retryable: false, pointer: '' },
  });
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ index: 1_000, error: { code: 'too_many_errors' } });
});

it('gives the event loop back between groups, although nothing in them waits', async () => {
  let turns = 0;
  const sizes: number[] = [];
  const batch = {
    body: (async function* () {
      yield Buffer.from('0\n'.repeat(2_500));
    })(),
    limits: DEFAULT_LIMITS,
    requestId: 'r',
    publish: async (events: readonly unknown[]) => {
      sizes.push(events.length);
      return events.map(() => ({ id: 'i', cursor: 'c', duplicate: true }) as PublishResult);
    },
    pause: async () => {},
    nextTurn: async () => void turns++,
    budget: new BodyBudget(1_000),
  };
  for await (const _part of answerNdjson(batch)) expect(turns).toBe(sizes.length - 1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
  expect(turns).toBe(sizes.length);
});

it('answers an endless line when it is over the limit, and closes', async () => {
  const { url } = await runService();
  const { socket, send, received } = await upload(url);
  socket.on('error', () => {});
  send(line(0));
  const filling = setInterval(() => send('x'.repeat(1024 * 1024)), 5);
  await once(socket, 'close');
  clearInterval(filling);
  expect(received()).toMatch(/"index":0,"status":201/);
  expect(received()).toMatch(/"index":1,"status":413,"error":\{"code":"event_too_large"/);
});

it('makes a client wait that writes and does not read', async () => {
  const { url } = await runService();
  const { socket, send } = await upload(url);
  socket.pause();
  const lines = Array.from({ length: 2_000 }, (_, number) => line(number)).join('');
  const before = process.memoryUsage().rss;
  let bytes = 0;
  // What the client may write is bounded by what the two sockets hold: at some point the service reads no further.
  for (;;) {
    bytes += lines.length;
    if (send(lines)) continue;
    const drained = once(socket, 'drain').then(() => true);
    const stuck = new Promise<false>((resolve) => setTimeout(() => resolve(false), 1_000));
    if (!(await Promise.race([drained, stuck]))) break;
    expect(bytes).toBeLessThan(200 * 1024 * 1024);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  expect((await call(`${url}/livez`)).status).toBe(200);
});
