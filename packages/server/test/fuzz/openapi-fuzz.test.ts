import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { expect, it, onTestFinished } from 'vitest';
import { call, postJson, putJson, runService, sample } from '../running-service.ts';
import type { Check } from './answer-checks.ts';
import { OpenApiFuzz } from './openapi-fuzz.ts';
import { ServiceState } from './service-state.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const ADAPTER = process.env['FUZZ_ADAPTER'] === 'journal' ? 'journal' : 'memory';
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 10_000);

/** Takes every delivery, except those that are to become dead letters. */
async function receiver(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(request.url === '/refuse' ? 500 : 204).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const PROJECTIONS = ['sum', 'by-topic', 'last'];

/** No request folds: on a journal an application did, before the service came. */
async function fold(directory: string): Promise<void> {
  await using events = new EventManager({ adapter: journal({ directory }) });
  await events.publish(sample());
  for (const name of PROJECTIONS) {
    const key = name === 'sum' ? undefined : ({ topic }: { topic: string }) => topic;
    const projection = await events.project<number>({ name, key, initial: 0, apply: (sum) => sum + 1 });
    await projection.caughtUp();
  }
}

async function prepare(url: string): Promise<ServiceState> {
  const base = await receiver();
  const options = { retryPolicy: { maxRetries: 0 } };
  const request = { name: 'refuses', topic: '#', endpoint: `${base}/refuse`, options };
  const { body: refusing } = await postJson(`${url}/subscriptions`, request);
  const published = [];
  for (let number = 0; number < 3; number++) published.push((await postJson(`${url}/events`, sample())).body);
  const scheduled = [];
  for (let days = 100; days < 110; days++) {
    scheduled.push((await postJson(`${url}/events`, sample({ delayMs: days * 24 * 60 * 60 * 1_000 }))).body);
  }
  let letters: { id: string }[] = [];
  while (letters.length < published.length) letters = (await call(`${url}/dead-letters`)).body.data;
  for (const topic of ['declared.a', 'declared.b']) await postJson(`${url}/topics`, { topic });
  for (const name of ['aas', 'b%2Fc', 'd%20e']) {
    await putJson(`${url}/contexts/${name}`, { userIds: ['u'] });
  }
  // Nobody asks for its deliveries, so a replay to it has no end.
  await postJson(`${url}/subscriptions`, { name: 'held', topic: 'held' });
  await postJson(`${url}/events`, sample({ topic: 'held' }));
  const runs = [];
  for (let count = 0; count < 2; count++) {
    runs.push((await postJson(`${url}/replays`, { subscriptions: 'held', topic: 'held' })).body.id);
  }
  const [held, cancelled] = runs;
  const tried = { name: 'tried', topic: 'never', endpoint: `${base}/hook` };
  const { body: webhook } = await postJson(`${url}/subscriptions`, tried);
  await call(`${url}/runs/${cancelled}/cancel`, { method: 'POST' });
  const next = async (path: string) => (await call(`${url}${path}?limit=1`)).body.nextCursor;
  const { body: other } = await postJson(`${url}/subscriptions`, { ...request, name: 'other', topic: 'never' });
  const cursors = new Map([
    ['events-cursor', published[0].cursor],
    ['subscriptions-cursor', await next('/subscriptions')],
    ['topics-cursor', await next('/topics')],
    ['contexts-cursor', await next('/contexts')],
    ['dead-letters-cursor', await next('/dead-letters')],
    // Keys are any text, so a cursor says no more than where to go on.
    ['deliveries-cursor', Buffer.from('0198c0de-0000-7000-8000-00000000000a').toString('base64url')],
    ['keys-cursor', Buffer.from('customer-7').toString('base64url')],
    ['projections-cursor', Buffer.from('a').toString('base64url')],
    ['scheduled-cursor', await next('/scheduled')],
    ['runs-cursor', await next('/runs')],
    ['report-cursor', Buffer.from(`${held}/${'7'.padStart(16, '0')}`).toString('base64url')],
  ]);
  await call(`${url}/subscriptions/${other.id}`, { method: 'DELETE' });
  // Its dead letters are redriven all the time: nobody shall get them.
  await call(`${url}/subscriptions/${refusing.id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'never' }),
  });
  return new ServiceState({
    endpoint: `${base}/hook`,
    cursors,
    deadLetters: letters.map(({ id }) => id),
    events: published.map(({ id }) => id),
    scheduled: scheduled.map(({ id }) => id),
    runs: { held, cancelled },
    webhook: webhook.id,
    projections: ADAPTER === 'journal' ? PROJECTIONS : [],
  });
}

it('answers as its OpenAPI document says, whatever is sent', { timeout: 60_000 + REQUESTS * 20 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-fuzz-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  if (ADAPTER === 'journal') await fold(dataDir);
  const { url } = await runService({ webhookAllow: ['loopback'], adapter: ADAPTER, dataDir });
  const state = await prepare(url);
  const { body: document } = await call(`${url}/openapi.json`);
  const report = await new OpenApiFuzz({ url, seed: SEED, requests: REQUESTS, document, state }).run();
  const { findings, ...facts } = report;
  process.stdout.write(`${JSON.stringify({ fuzz: 'openapi', ...facts, checks: findings.counts })}\n`);
  if (findings.failures.length > 0) process.stdout.write(`again with FUZZ_SEED=${SEED} FUZZ_REQUESTS=${REQUESTS}\n`);
  expect(findings.failures.slice(0, 5)).toEqual([]);
  for (const [name, { checked }] of Object.entries(findings.counts)) expect(checked, name).toBeGreaterThan(0);
  const isTried = (route: string) => ADAPTER === 'journal' || !route.includes(' /projections/{name}');
  expect(report.untried.filter(isTried)).toEqual([]);
  expect(report.good.accepted).toBe(report.good.sent);
  expect(report.bad.refused).toBe(report.bad.sent);
  expect((await call(`${url}/readyz`)).status).toBe(200);
});

// biome-ignore lint/suspicious/noExplicitAny: a document is lied about wherever it can be.
type Liar = (document: any) => void;

/** A fuzz that finds nothing in a document that lies would find nothing in a service that does. */
const LIES: readonly (readonly [lie: string, check: Check, tell: Liar])[] = [
  ['nothing about 201', 'status_code_conformance', ({ paths }) => delete paths['/events'].post.responses['201']],
  [
    'another type of answer',
    'content_type_conformance',
    ({ paths }) => {
      paths['/events'].post.responses['201'].content = { 'text/plain': { schema: {} } };
    },
  ],
  [
    'a field that answers lack',
    'response_schema_conformance',
    ({ components }) => components.schemas.Published.required.push('x'),
  ],
  [
    'a header that is not sent',
    'response_headers_conformance',
    ({ paths }) => {
      paths['/events'].post.responses['201'].headers = { 'x-absent': { schema: { type: 'string' } } };
    },
  ],
  [
    'more fields than there are',
    'positive_data_acceptance',
    ({ components }) => {
      components.schemas.EventIn.properties.colour = { type: 'string' };
    },
  ],
  [
    'a shorter type than is taken',
    'negative_data_rejection',
    ({ components }) => {
      components.schemas.EventIn.properties.source.maxLength = 20;
    },
  ],
  ['nothing about GET', 'unsupported_method', ({ paths }) => delete paths['/events'].get],
];

it.each(LIES)('finds that a document tells %s: %s', async (_lie, check, tell) => {
  const { url } = await runService({ webhookAllow: ['loopback'] });
  const state = await prepare(url);
  const { body: document } = await call(`${url}/openapi.json`);
  document.paths = { '/events': document.paths['/events'] };
  tell(document);
  const { findings } = await new OpenApiFuzz({ url, seed: SEED, requests: 500, document, state }).run();
  const failed = Object.entries(findings.counts).filter(([, { failed: count }]) => count > 0);
  expect(failed.map(([name]) => name)).toContain(check);
});
