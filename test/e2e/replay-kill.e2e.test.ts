import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemChance } from '@event-manager/core';
import { generateSecret, verify } from '@event-manager/webhook';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { call } from './support/call.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

/** `REPLAY_KILL_EVENTS=10000` is the full figure. */
const EVENTS = Number(process.env['REPLAY_KILL_EVENTS'] ?? 150);
/** So many that some wait for their turn. */
const SUBSCRIPTIONS = 20;
const WINDOW = 16;
const KILLED_AT = [0.2, 0.5, 0.8];

interface Request {
  readonly path: string;
  readonly id: string;
  readonly replay: string | undefined;
  readonly attempt: number;
  readonly isSigned: boolean;
}

/** Takes everything, and writes down what it is handed and whether the signature is right. */
async function receive(secret: string) {
  const seen: Request[] = [];
  const server = createServer((request, response) => {
    const { headers, url: path = '' } = request;
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const isSigned = verify(Buffer.concat(pieces), headers, [secret]).valid;
      const replay = headers['event-manager-replay'] as string | undefined;
      const attempt = Number(headers['event-manager-attempt']);
      seen.push({ path, id: String(headers['webhook-id']), replay, attempt, isSigned });
      setTimeout(() => response.writeHead(204).end(), 2);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function serve() {
  const dataDir = temporaryDirectory();
  const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };
  let service = await ServiceProcess.start({ dataDir, port: 0, environment });
  const { port } = service;
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  return {
    get url() {
      return service.url;
    },
    async killAndRestart() {
      await service.stop('SIGKILL');
      service = await ServiceProcess.start({ dataDir, port, environment });
    },
  };
}

async function publish(url: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({ type: 'book.lent', source: 'test', payload: { n } }));
  for (let from = 0; from < count; from += 1_000) {
    const { status } = await call('POST', `${url}/events/batch`, { events: events.slice(from, from + 1_000) });
    expect(status).toBeLessThan(300);
  }
}

/** If this failed, a replay whose process is killed would leave events out, or hand out more than was under way a second time. */
it(`replays ${EVENTS} events to ${SUBSCRIPTIONS} subscriptions, killed ${KILLED_AT.length} times`, {
  timeout: 120_000 + EVENTS * 100,
}, async () => {
  const secret = generateSecret(systemChance);
  const receiver = await receive(secret);
  const service = await serve();
  for (let of = 0; of < SUBSCRIPTIONS; of++) {
    const { status } = await call('POST', `${service.url}/subscriptions`, {
      ...{ name: `shelf-${of}`, topic: '#', endpoint: `${receiver.url}/${of}`, secret },
      options: { inFlightMax: WINDOW, maxConcurrency: 8, breaker: false },
    });
    expect(status).toBe(201);
  }
  await publish(service.url, EVENTS);
  const whole = EVENTS * SUBSCRIPTIONS;
  await until('everything is delivered', 60_000 + whole, () => receiver.seen.length >= whole);
  receiver.seen.length = 0;
  const { status, body: run } = await call('POST', `${service.url}/replays`, { all: true, note: 'killed' });
  expect(status).toBe(202);
  for (const share of KILLED_AT) {
    await until('some arrived', 60_000 + whole, () => receiver.seen.length >= whole * share);
    await service.killAndRestart();
  }
  const ended = async () => (await call('GET', `${service.url}/runs/${run.id}`)).body;
  await until('the replay is over', 60_000 + whole, async () => (await ended()).endedAtMs !== undefined);
  const { counts, state } = await ended();
  const replayed = receiver.seen.filter(({ replay }) => replay === run.id);
  const distinct = new Set(replayed.map(({ path, id }) => `${path} ${id}`)).size;
  const doubles = replayed.length - distinct;
  const facts = {
    test: 'D6',
    events: EVENTS,
    subscriptions: SUBSCRIPTIONS,
    kills: KILLED_AT.length,
    distinct,
    doubles,
  };
  process.stdout.write(`${JSON.stringify(facts)}\n`);
  expect([state, distinct]).toEqual(['done', whole]);
  expect(counts).toEqual({ total: whole, done: whole, failed: 0, skipped: 0 });
  // Of each that is open, one window for each kill.
  expect(doubles).toBeLessThanOrEqual(WINDOW * KILLED_AT.length * SUBSCRIPTIONS);
  expect(replayed.every(({ isSigned }) => isSigned)).toBe(true);
  // Nothing of what was settled is owed again.
  expect(receiver.seen).toHaveLength(replayed.length);
});

/** If this failed, who tries a new receiver with the events of the old one could not check signatures as that does. */
it('signs what goes to another endpoint instead as what goes to that of the subscription', {
  timeout: 60_000,
}, async () => {
  const secret = generateSecret(systemChance);
  const [live, shadow] = [await receive(secret), await receive(secret)];
  const service = await serve();
  const subscribe = (more: object) =>
    call('POST', `${service.url}/subscriptions`, { topic: '#', endpoint: `${live.url}/live`, ...more });
  await subscribe({ name: 'signed', secret });
  await subscribe({ name: 'plain' });
  await publish(service.url, 3);
  await until('everything is delivered', 20_000, () => live.seen.length >= 6);
  const target = { endpoint: `${shadow.url}/shadow` };
  const { body: run } = await call('POST', `${service.url}/replays`, { all: true, target });
  await until('everything is replayed', 20_000, () => shadow.seen.length >= 6);
  expect(live.seen).toHaveLength(6);
  expect(shadow.seen.every(({ replay }) => replay === run.id)).toBe(true);
  expect(shadow.seen.map(({ isSigned }) => isSigned).toSorted()).toEqual([false, false, false, true, true, true]);
  // What is kept of the run, and shown to whoever may see it, says nothing of the secret.
  expect(JSON.stringify(run)).not.toContain(secret);
});
