import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Engine, ERROR_CODES, type ErrorCode, EventManagerError, memory, systemRuntime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { SimulatedDisk } from '@event-manager/testing';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { Life } from '../../../src/life.ts';
import { httpServer } from '../../../src/protocols/http/http-server.ts';
import { configure } from '../../configure.ts';
import { contextOf } from '../../context-of.ts';
import { type Answer, call, patchJson, postJson, runService, sample } from '../../running-service.ts';
import { MALFORMED_REQUESTS } from './malformed-requests.ts';

const DIRECTORY = '/var/lib/hidden-directory/journal';
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** What nobody outside has to know: frames and files, queries, the machine, and what runs on it in which version. */
const LEAKS: readonly RegExp[] = [
  /\n\s+at |\bat [\w.<>]+ \(|node:internal|\.[cm]?[jt]s:\d/,
  /\/(work|home|tmp|var|usr|etc|root)\b|node_modules|[A-Z]:\\\\/,
  /\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b/,
  /\b(fastify|pino|undici|llhttp|ajv|typebox|find-my-way|FST_ERR|HPE_|UND_ERR)/i,
  new RegExp(`\\b${process.versions.node.replaceAll('.', '\\.')}\\b|\\bv?${version.replaceAll('.', '\\.')}\\b`),
  new RegExp(`\\b${hostname().replaceAll('.', '\\.')}\\b`),
  /hidden-/,
];

const seen = new Map<string, number>();
let bodies = 0;

/** Holds an answer against all that, and remembers its code. */
function assertTight(name: string, { status, headers, body }: Answer): void {
  bodies++;
  const text = `${JSON.stringify(body)}${JSON.stringify([...headers])}`;
  expect([name, LEAKS.filter((leak) => leak.test(text)), text.length < 4_000 ? text : text.slice(0, 4_000)]).toEqual([
    name,
    [],
    expect.any(String),
  ]);
  expect([name, headers.get('server'), headers.get('x-powered-by')]).toEqual([name, null, null]);
  // Health is told as such, also that of a store that failed.
  if (status < 400 || body.phase !== undefined) return;
  expect([name, typeof body.requestId, body.requestId?.length > 3]).toEqual([name, 'string', true]);
  expect([name, body.title]).toEqual([name, ERROR_CODES[body.code as ErrorCode].meaning]);
  seen.set(body.code, (seen.get(body.code) ?? 0) + 1);
}

async function serveOver(engine: Engine): Promise<string> {
  const life = new Life();
  const http = httpServer({
    context: contextOf(engine, life),
    configuration: configure(),
    runtime: systemRuntime,
    logger: pino({ level: 'silent' }),
  });
  const url = await http.listen();
  life.enter('serving');
  onTestFinished(async () => {
    await http.close();
    await engine.close().catch(() => {});
  });
  return url;
}

async function serveJournal(disk: SimulatedDisk): Promise<string> {
  return serveOver(await Engine.open({ adapter: journal({ directory: DIRECTORY, disk, reserveBytes: 4_096 }) }));
}

it('says nothing of the machine to whoever sends what is malformed', async () => {
  const { url } = await runService({ streamsMax: 0 });
  for (const { name, method = 'GET', path, headers, body } of MALFORMED_REQUESTS) {
    const init = { method, headers: headers ?? {}, ...(body === undefined ? {} : { body }) };
    assertTight(name, await call(`${url}${path}`, init));
  }
});

it('says nothing of the machine about what is not there, there already, or too much', async () => {
  const { limits } = configure();
  const { url } = await runService({ streamsMax: 0, limits: { ...limits, subscriptionsMax: 1 } });
  const { body: event } = await postJson(`${url}/events`, sample());
  assertTight('other content under an id', await postJson(`${url}/events`, sample({ id: event.id, payload: {} })));
  const request = { name: 'n', topic: '#', endpoint: 'https://example.com/' };
  const { body: subscription } = await postJson(`${url}/subscriptions`, request);
  assertTight('a name that is taken', await postJson(`${url}/subscriptions`, { ...request, topic: 'x' }));
  assertTight('one subscription too many', await postJson(`${url}/subscriptions`, { ...request, name: 'm' }));
  const blocked = { endpoint: 'http://hidden-host.localhost/hidden-path' };
  assertTight('a blocked endpoint', await patchJson(`${url}/subscriptions/${subscription.id}`, blocked));
  assertTight(
    'an endpoint without a name to resolve',
    await patchJson(`${url}/subscriptions/${subscription.id}`, { endpoint: 'x' }),
  );
  assertTight('a stream too many', await call(`${url}/events/stream`));
  assertTight('no dead letter', await call(`${url}/dead-letters/x`));
  assertTight('no topic', await call(`${url}/topics/nowhere`));
  const declared = {
    topic: 'order.created',
    schema: { properties: { total: { type: 'string' } } },
    compatibility: 'none',
  };
  assertTight('declared', await postJson(`${url}/topics`, declared));
  assertTight('declared otherwise', await postJson(`${url}/topics`, { ...declared, schema: true }));
  assertTight(
    'no schema',
    await postJson(`${url}/topics`, { topic: 'other', schema: { type: 'hidden' } }).then(withoutEcho),
  );
  assertTight('a payload that does not fit', await postJson(`${url}/events`, sample()));
  assertTight(
    'a schema that stored events do not fit',
    await postJson(`${url}/topics/order.created/schemas`, {
      schema: { required: ['absent'] },
      compatibility: 'backward',
    }),
  );
});

/** What was sent may be repeated to whoever sent it. */
function withoutEcho(answer: Answer): Answer {
  return { ...answer, body: JSON.parse(JSON.stringify(answer.body).replaceAll('hidden', 'echo')) };
}

it('says nothing of the machine when the disk fails, is full, or holds what it should not', async () => {
  const broken = new SimulatedDisk();
  const url = await serveJournal(broken);
  const { body: event } = await postJson(`${url}/events`, sample());
  broken.fail({ operation: 'read', path: /./, code: 'EIO', times: 5 });
  assertTight('a read that fails', await call(`${url}/events?topic=order.*`));
  assertTight('an event that cannot be read', await call(`${url}/events/${event.id}`));
  broken.clearFaults();
  broken.failSync(/./, 100);
  assertTight('a sync that fails', await postJson(`${url}/events`, sample()));
  for (const path of ['/health', '/readyz', '/events', `/events/${event.id}`, '/subscriptions', '/dead-letters']) {
    assertTight(`${path} of a failed store`, await call(`${url}${path}`));
  }
  assertTight(
    'a subscription to a failed store',
    await postJson(`${url}/subscriptions`, { topic: '#', endpoint: 'https://example.com/' }),
  );

  const full = new SimulatedDisk();
  const fullUrl = await serveJournal(full);
  full.fill(0);
  assertTight('a full disk', await postJson(`${fullUrl}/events`, sample({ payload: { x: 'x'.repeat(100_000) } })));
  assertTight('health of a full disk', await call(`${fullUrl}/health`));
  assertTight('readiness of a full disk', await call(`${fullUrl}/readyz`));
});

/** Errors of others, as they would come up through the product: nothing of them may get through. */
const STRANGERS: readonly (readonly [name: string, error: unknown])[] = [
  ['a bare error', new Error(`ENOENT: no such file or directory, open '${DIRECTORY}/hidden-key'`)],
  ['a database', Object.assign(new Error('SELECT secret FROM hidden_table'), { code: '42P01', statusCode: 500 })],
  [
    'an error of the framework',
    Object.assign(new Error('FST_ERR hidden-detail'), { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }),
  ],
  [
    'an error that says it is the client’s',
    Object.assign(new Error('hidden-detail at /etc/passwd'), { statusCode: 418 }),
  ],
  ['a type error', new TypeError("Cannot read properties of undefined (reading 'hidden-secret')")],
  ['a range error', new RangeError('Maximum call stack size exceeded in /work/hidden-file.ts:17')],
  ['several errors', new AggregateError([new Error('hidden-one')], 'hidden-many')],
  ['a text', 'hidden-text'],
  ['nothing', undefined],
  ['null', null],
  ['an object', { message: 'hidden-message', stack: 'hidden-stack', statusCode: '200' }],
];

it('says nothing of an error that is not of the product', async () => {
  const engine = await Engine.open({ adapter: memory() });
  const url = await serveOver(engine);
  for (const [name, error] of STRANGERS) {
    engine.history.event = () => Promise.reject(error);
    engine.publish = () => Promise.reject(error);
    for (const answer of [
      await call(`${url}/events/01890a5d-ac96-774b-bcce-b302099a8057`),
      await postJson(`${url}/events`, sample()),
    ]) {
      expect(answer.status, name).toBeGreaterThanOrEqual(400);
      assertTight(name, answer);
    }
  }
});

it('says nothing of the cause of any code, and nothing at all of what is broken inside', async () => {
  const engine = await Engine.open({ adapter: memory() });
  const url = await serveOver(engine);
  const cause = Object.assign(new Error(`hidden-cause: open ${DIRECTORY}`), { path: DIRECTORY, errno: -2 });
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const { kind } = ERROR_CODES[code];
    const words = kind === 'internal' ? `hidden-words ${DIRECTORY}` : 'Words for people.';
    const details = kind === 'internal' ? { file: DIRECTORY, position: 'hidden-position' } : { limit: 'x' };
    engine.history.event = () => Promise.reject(new EventManagerError(code, words, details, cause));
    const answer = await call(`${url}/events/01890a5d-ac96-774b-bcce-b302099a8057`);
    expect(answer.body.code).toBe(code);
    assertTight(code, answer);
  }
  expect([...seen.keys()].sort()).toEqual(Object.keys(ERROR_CODES).sort());
  process.stdout.write(`${JSON.stringify({ leakage: bodies, codes: seen.size, leaks: 0 })}\n`);
});
