import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { type CorpusCase, JSON_CORPUS } from './json-corpus.ts';

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** By hand, so that a header can be there twice. */
function post(
  url: string,
  { body, contentType = 'application/json' }: Omit<CorpusCase, 'name'>,
  agent: Agent,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': contentType as string, 'content-length': body.length };
    const sent = request(`${url}/events`, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What is not as it should be; `undefined` when all is. */
async function faultOf(url: string, one: CorpusCase, agent: Agent): Promise<string | undefined> {
  const { status, text } = await post(url, one, agent);
  const answer = JSON.parse(text);
  if (status >= 400 && status < 500) {
    const isProblem =
      answer.status === status && typeof answer.code === 'string' && typeof answer.requestId === 'string';
    return isProblem ? undefined : `refused without a problem: ${text.slice(0, 200)}`;
  }
  if (status < 400 && Array.isArray(one.contentType)) return 'two content types were taken';
  if (status !== 201) return `status ${status}: ${text.slice(0, 200)}`;
  const stored = await (await fetch(`${url}/events/${answer.id}`)).text();
  const sent = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(one.body));
  const { payload } = JSON.parse(stored);
  if (!isDeepStrictEqual(payload, withoutNegativeZero(sent.payload)))
    return `stored otherwise: ${stored.slice(0, 300)}`;
  const again = await post(url, { body: new TextEncoder().encode(stored) }, agent);
  const isSame = again.status === 200 && JSON.parse(again.text).duplicate === true;
  return isSame ? undefined : `not taken again: ${again.status} ${again.text.slice(0, 200)}`;
}

/** JSON writes both zeros as 0. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

it.each(['memory', 'journal'] as const)(
  'takes JSON whole or not at all, and nothing of it changes anything here (%s)',
  async (adapter) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-corpus-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const { url } = await runService({ adapter, dataDir });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const wrong: string[] = [];
    let taken = 0;
    for (const one of JSON_CORPUS) {
      const before = (await call(`${url}/health`)).body.head;
      const fault = await faultOf(url, one, agent);
      if (fault !== undefined) wrong.push(`${one.name}: ${fault}`);
      if ((await call(`${url}/health`)).body.head !== before) taken++;
      expect(({} as { polluted?: unknown }).polluted, one.name).toBeUndefined();
      expect([].constructor, one.name).toBe(Array);
    }
    expect(wrong).toEqual([]);
    expect(JSON_CORPUS.length).toBeGreaterThanOrEqual(500);
    expect(taken).toBeGreaterThan(100);
    process.stdout.write(
      `${JSON.stringify({ corpus: 'json', adapter, cases: JSON_CORPUS.length, taken, refused: JSON_CORPUS.length - taken })}\n`,
    );
    expect((await postJson(`${url}/events`, sample())).status).toBe(201);
  },
);

it.each([
  ['POST', '/events/batch'],
  ['POST', '/subscriptions'],
  ['PATCH', '/subscriptions/{id}'],
  ['POST', '/topics'],
])('refuses every text as a problem, or takes it, also on %s %s', async (method, path) => {
  const { url } = await runService();
  const { body: subscription } = await postJson(`${url}/subscriptions`, {
    topic: 'a',
    endpoint: 'https://example.com/',
  });
  const wrong: unknown[] = [];
  for (const { name, body, contentType = 'application/json' } of JSON_CORPUS) {
    if (Array.isArray(contentType)) continue;
    const headers = { 'content-type': contentType as string };
    const answer = await call(`${url}${path.replace('{id}', subscription.id)}`, { method, headers, body });
    const isProblem = answer.body.status === answer.status && typeof answer.body.requestId === 'string';
    const isRight = answer.status < 400 ? true : answer.status < 500 && isProblem;
    if (!isRight) wrong.push([name, answer.status, answer.body]);
    expect(({} as { polluted?: unknown }).polluted, name).toBeUndefined();
  }
  expect(wrong).toEqual([]);
  expect((await postJson(`${url}/events`, sample())).status).toBe(201);
});
