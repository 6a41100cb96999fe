import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fastify } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { holdAnswers } from '../../../src/protocols/http/hold-answers.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

const MIB = 1024 * 1024;
const PAGE = '/events?limit=1000';

async function dial(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  return socket;
}

it('refuses pages while too many bytes of others are not read, and nothing else; whoever goes away gives them back', async () => {
  const { url } = await runService({ answersBytesMax: 20 * MIB });
  const x = 'x'.repeat(200_000);
  // Each page is 8 MiB: two fit.
  for (let number = 0; number < 45; number++) await postJson(`${url}/events`, sample({ payload: { number, x } }));
  const lazy = await Promise.all(Array.from({ length: 6 }, () => dial(url)));
  for (const socket of lazy) socket.write(`GET ${PAGE} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  let answer = await call(`${url}${PAGE}`);
  while (answer.status === 200) answer = await call(`${url}${PAGE}`);
  expect([answer.status, answer.body.code, answer.body.details.limit]).toEqual([429, 'overloaded', 'answersBytesMax']);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect((await postJson(`${url}/events`, sample())).status).toBe(201);
  expect((await call(`${url}/events?limit=1&order=desc`)).body.data).toHaveLength(1);
  expect((await call(`${url}/health`)).status).toBe(200);
  for (const socket of lazy) socket.destroy();
  while (answer.status === 429) answer = await call(`${url}${PAGE}`);
  expect(answer.status).toBe(200);
  expect(answer.body.data.length).toBeGreaterThan(30);
});

it('gives the bytes of an answer back when it was read, also over one connection', async () => {
  const { url } = await runService({ answersBytesMax: 9 * MIB });
  const x = 'x'.repeat(200_000);
  for (let number = 0; number < 30; number++) await postJson(`${url}/events`, sample({ payload: { number, x } }));
  for (let turn = 0; turn < 10; turn++) expect((await call(`${url}${PAGE}`)).status).toBe(200);
});

it('holds nothing for whoever went away before the answer was there', async () => {
  const app = fastify();
  onTestFinished(() => app.close());
  const answer = 'x'.repeat(MIB);
  holdAnswers(app, () => 2 * MIB);
  let gone = 0;
  app.get('/late', async (_request, reply) => {
    if (!reply.raw.destroyed) await once(reply.raw, 'close');
    gone++;
    return answer;
  });
  app.get('/now', async () => answer);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  for (let count = 1; count <= 5; count++) {
    const socket = await dial(url);
    socket.write('GET /late HTTP/1.1\r\nhost: localhost\r\n\r\n', () => socket.destroy());
    while (gone < count) await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await call(`${url}/now`)).status).toBe(200);
});
