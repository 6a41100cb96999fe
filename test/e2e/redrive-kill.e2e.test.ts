import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mostInWindow } from '@event-manager/testing';
import { createTestDatabase, skipWithout } from '@event-manager/testing/servers';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { call } from './support/call.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

/** `REDRIVE_LETTERS=10000` is the full figure. */
const LETTERS = Number(process.env['REDRIVE_LETTERS'] ?? 500);
const RATE = LETTERS / 5;
const WINDOW = 64;
const BATCH = 1_000;
const KILLED_AT = [0.3, 0.6];
/** What is due at its time may arrive later, beside what is due next: at most a quarter of a second of it waits, and the way takes time. */
const RATE_SLACK = 1.35;

/** If this failed, a redrive that is killed would lose letters, or hand them out twice. */
it.for(['journal', 'PostgreSQL'])(
  `delivers ${LETTERS} letters once more, asked for twice and killed twice, on %s`,
  { timeout: 120_000 + LETTERS * 60 },
  async (on, context) => {
    if (on === 'PostgreSQL') await skipWithout('postgres', context);
    const service = await serviceOn(on === 'PostgreSQL');
    const receiver = await receive();
    const { body: subscription } = await call('POST', `${service.url}/subscriptions`, {
      name: 'shelf',
      topic: '#',
      endpoint: receiver.endpoint,
      options: {
        inFlightMax: WINDOW,
        maxConcurrency: 32,
        breaker: false,
        retryPolicy: { maxRetries: 3, initialDelay: 1, maxDelay: 1, jitter: false },
      },
    });
    await publish(service.url);
    await until('everything is a dead letter', 60_000 + LETTERS * 20, async () => {
      return (await groupCount(service.url)) === LETTERS;
    });
    receiver.isWell = true;
    receiver.seen.length = 0;
    const request = { subscriptionId: subscription.id, rate: RATE, confirm: LETTERS, note: 'killed twice' };
    const runs: string[] = [];
    for (let asked = 0; asked < 2; asked++) {
      const { status, body } = await call('POST', `${service.url}/dead-letters/redrive`, request);
      expect(status).toBe(202);
      runs.push(body.id);
    }
    for (const share of KILLED_AT) {
      await until('some arrived', 60_000, () => receiver.seen.length >= LETTERS * share);
      await service.killAndRestart();
    }
    await until('both runs are over', 60_000 + LETTERS * 20, async () => {
      const all = await Promise.all(runs.map((id) => call('GET', `${service.url}/runs/${id}`)));
      return all.every(({ body }) => body.endedAtMs !== undefined);
    });
    await until('nothing is owed', 60_000, async () => {
      const { body } = await call('GET', `${service.url}/subscriptions/${subscription.id}`);
      return body.status.served && body.status.owed === 0 && body.status.inFlight === 0;
    });

    const { seen } = receiver;
    const names = seen.map(({ id, attempt }) => `${id}#${attempt}`);
    const done = await Promise.all(runs.map(async (id) => (await call('GET', `${service.url}/runs/${id}`)).body));
    const letters = await allLetters(service.url);
    const most = mostInWindow(
      seen.map(({ atMs }) => atMs),
      1_000,
    );
    const distinct = new Set(seen.map(({ id }) => id)).size;
    const facts = {
      test: 'D5',
      on,
      letters: LETTERS,
      kills: KILLED_AT.length,
      distinct,
      handed: seen.length,
      rate: RATE,
      most,
    };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    expect(distinct).toBe(LETTERS);
    // An attempt never begins twice; what was under way at a kill comes again with the next number.
    expect(new Set(names).size).toBe(names.length);
    expect(seen.length).toBeLessThanOrEqual(LETTERS + WINDOW * KILLED_AT.length);
    expect(done.reduce((sum, { counts }) => sum + counts.done, 0)).toBe(LETTERS);
    expect(letters).toHaveLength(LETTERS);
    const audited = letters.filter(({ state, closed }) => {
      return state === 'redriven' && runs.includes(closed?.runId ?? '') && closed?.note === 'killed twice';
    });
    expect(audited).toHaveLength(LETTERS);
    expect(most).toBeLessThanOrEqual(RATE * RATE_SLACK);
  },
);

async function serviceOn(isPostgres: boolean) {
  const dataDir = temporaryDirectory();
  const database = isPostgres ? await createTestDatabase() : undefined;
  if (database) onTestFinished(() => database.drop());
  const kept: Readonly<Record<string, string>> = database ? { EVENT_MANAGER_DATABASE_URL: database.url } : {};
  const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback', ...kept };
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

/** Refuses everything until it is well, and writes down what it is handed. */
async function receive() {
  const seen: { id: string; attempt: number; atMs: number }[] = [];
  const receiver = { seen, isWell: false, endpoint: '' };
  const server = createServer((request, response) => {
    const { headers } = request;
    request.resume().on('end', () => {
      const attempt = Number(headers['event-manager-attempt']);
      seen.push({ id: String(headers['webhook-id']), attempt, atMs: performance.now() });
      response.writeHead(receiver.isWell ? 204 : 500).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  receiver.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return receiver;
}

async function publish(url: string): Promise<void> {
  for (let from = 0; from < LETTERS; from += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, LETTERS - from) }, (_, at) => {
      return { type: 'book.returned', source: 'test', payload: { n: from + at } };
    });
    const { status } = await call('POST', `${url}/events/batch`, { events });
    expect(status).toBeLessThan(300);
  }
}

async function groupCount(url: string): Promise<number> {
  // Grouping reads every letter: asked every ten milliseconds it would slow down what is waited for.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { body } = await call('GET', `${url}/dead-letters/groups`);
  return (body.data as { count: number }[]).reduce((sum, { count }) => sum + count, 0);
}

interface Letter {
  readonly state: string;
  readonly closed?: { readonly runId: string; readonly note?: string };
}

async function allLetters(url: string): Promise<Letter[]> {
  const letters: Letter[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body }: { body: { data: Letter[]; nextCursor: string | null } } = await call(
      'GET',
      `${url}/dead-letters?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    letters.push(...body.data);
    cursor = body.nextCursor;
  }
  return letters;
}
