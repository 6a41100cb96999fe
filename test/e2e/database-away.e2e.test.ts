import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { EventManagerClient } from '@event-manager/client';
import { createTestDatabase, missingServer, type PrivateServer, startPostgres } from '@event-manager/testing/servers';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { call } from './support/call.ts';
import { makeInstance, startInstance } from './support/start-instance.ts';
import { subscribeWebhook } from './support/subscribe-webhook.ts';
import { until } from './support/until.ts';

/** The grace that container runtimes give, and a little for a busy machine. */
const SHUTDOWN_MS_MAX = 12_000;
const event = (more: object = {}) => ({ type: 'order.created', source: 'shop', payload: {}, ...more });
/** So that a call that finds no database is answered soon. */
const environment = { EVENT_MANAGER_DATABASE_QUERY_TIMEOUT_MS: '1000' };
const missing = await missingServer('postgres');
const health = async ({ url }: ServiceProcess) => (await call('GET', `${url}/health`)).body;
const metrics = async ({ url }: ServiceProcess) => (await call('GET', `${url}/metrics`)).body as string;

describe.skipIf(missing !== undefined)(`a service whose database goes away${missing ? ` (${missing})` : ''}`, () => {
  let server: PrivateServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.close());

  async function startOnOwnDatabase(): Promise<ServiceProcess> {
    await server.start().catch(() => {});
    const database = await createTestDatabase({ server });
    return startInstance(database.url, { environment });
  }

  it('refuses to publish by 503 and says when to try again, streams go on, and all is well by itself when it is back', async () => {
    const service = await startOnOwnDatabase();
    const { url } = service;
    const stream = await openStream(`${url}/events/stream`);
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/ws`);
    onTestFinished(() => socket.terminate());
    await once(socket, 'message');
    expect((await call('POST', `${url}/events`, event())).status).toBe(201);
    expect(await health(service)).toMatchObject({ status: 'ok', adapter: { name: 'postgres', status: 'ok' } });

    await server.stop('immediately');
    const refused = await call('POST', `${url}/events`, event());
    expect([refused.status, refused.body.code]).toEqual([503, 'store_unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const batch = await call('POST', `${url}/events/batch`, [event(), event()]);
    expect(batch.body.results ?? batch.body).toMatchObject(batch.status === 503 ? {} : [{}, {}]);
    expect(JSON.stringify(batch.body)).toContain('store_unavailable');
    socket.send(JSON.stringify({ type: 'publish', ref: 'p', event: event() }));
    const [frame] = await once(socket, 'message');
    expect(JSON.parse(String(frame))).toMatchObject({
      type: 'published',
      answers: [{ ref: 'p', error: { code: 'store_unavailable', retryable: true, retryAfterMs: expect.any(Number) } }],
    });

    await until('health says so', 10_000, async () => (await health(service)).status === 'degraded');
    const away = await health(service);
    expect(away).toMatchObject({ reason: expect.stringMatching(/PostgreSQL/), adapter: { status: 'unavailable' } });
    expect(JSON.stringify(away)).not.toMatch(/password|postgres:\/\//);
    const unready = await call('GET', `${url}/readyz`);
    expect([unready.status, unready.body.code]).toEqual([503, 'store_unavailable']);
    expect((await call('GET', `${url}/livez`)).status).toBe(200);
    expect(await metrics(service)).toMatch(/^eventmanager_store_up 0$/m);
    expect(await metrics(service)).toMatch(/^eventmanager_store_errors_total\{code="store_unavailable"\} [1-9]/m);

    // Whoever tells of it looks twice a second.
    await until('it is counted', 5_000, async () => {
      return /^eventmanager_store_unavailable_seconds_total (0\.[0-9]*[1-9]|[1-9])/m.test(await metrics(service));
    });

    await server.start();
    // Nobody publishes: it notices by itself.
    await until('it is well again', 5_000, async () => (await health(service)).status === 'ok');
    expect((await call('GET', `${url}/readyz`)).status).toBe(200);
    const { status, body } = await call('POST', `${url}/events`, event());
    expect(status).toBe(201);
    // The same connection: nobody had to come back.
    await until('the stream goes on', 5_000, () => stream.text.includes(body.id));
    expect(stream.isOver).toBe(false);
    expect(await metrics(service)).toMatch(/^eventmanager_store_up 1$/m);

    let told: { payload: { lastedMs: number } }[] = [];
    await until('it was told', 5_000, async () => {
      told = (await call('GET', `${url}/events?topic=${encodeURIComponent('$sys/store/#')}`)).body.data;
      return told.length > 0;
    });
    expect(told).toMatchObject([
      { topic: '$sys/store/recovered', payload: { from: 'unavailable', adapter: 'postgres', instance: away.instance } },
    ]);
    expect(told[0]!.payload.lastedMs).toBeGreaterThan(0);
    expect(service.log.join('\n')).not.toMatch(/postgres:\/\//);
  });

  it('keeps what a client publishes meanwhile with the client, and loses nothing of it', async () => {
    const service = await startOnOwnDatabase();
    await using events = new EventManagerClient(service.url);
    await events.publish(event());
    await server.stop('immediately');
    const publishing = Array.from({ length: 50 }, () => events.publish(event()));
    await until('it is refused', 10_000, async () => (await health(service)).status === 'degraded');
    await server.start();
    const results = await Promise.all(publishing);
    expect(new Set(results.map(({ id }) => id)).size).toBe(50);
    expect(await events.getEvents({}, { limit: 100 })).toHaveLength(51);
  });

  it('ends in time when it is told to meanwhile, with a subscription that was served', async () => {
    await server.start().catch(() => {});
    const database = await createTestDatabase({ server });
    const service = await startInstance(database.url);
    const received: string[] = [];
    const onEvent = ({ id }: { id: string }) => void received.push(id);
    await subscribeWebhook({ url: service.url, name: 'hook', topic: '#', history: [], onEvent });
    await call('POST', `${service.url}/events`, event());
    await until('it is delivered', 10_000, () => received.length === 1);
    await server.stop('immediately');
    const startedMs = performance.now();
    const code = await service.stop('SIGTERM');
    expect(performance.now() - startedMs).toBeLessThan(SHUTDOWN_MS_MAX);
    // Progress that could not be made durable is told by the exit code: what was delivered then is delivered again.
    expect([0, 1]).toContain(code);
  });

  it('says that a database which does not answer is away, and when it answers again', async () => {
    const service = await startOnOwnDatabase();
    const pids = serverPids(server);
    const signalAll = (signal: NodeJS.Signals) => {
      for (const pid of pids) signalOne(pid, signal);
    };
    onTestFinished(() => signalAll('SIGCONT'));
    signalAll('SIGSTOP');
    await until('health says so', 10_000, async () => (await health(service)).adapter.status === 'unavailable');
    const refused = await call('POST', `${service.url}/events`, event());
    expect([refused.status, refused.body.code]).toEqual([503, 'store_unavailable']);
    signalAll('SIGCONT');
    await until('it is well again', 10_000, async () => (await health(service)).status === 'ok');
    expect((await call('POST', `${service.url}/events`, event())).status).toBe(201);
  });

  it('says that the database is slow when calls wait for it while others are answered, and stays ready', async () => {
    await server.start().catch(() => {});
    const database = await createTestDatabase({ server });
    const service = await startInstance(database.url);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    onTestFinished(() => client.end());
    // Whoever appends or commits waits for these; reads do not.
    await client.query('BEGIN; SELECT * FROM log_head FOR UPDATE; SELECT * FROM state_head FOR UPDATE');
    const publishing = call('POST', `${service.url}/events`, event());
    await until('health says so', 5_000, async () => (await health(service)).adapter.status === 'slow');
    expect(await health(service)).toMatchObject({ status: 'degraded', reason: expect.stringMatching(/slowly/) });
    expect((await call('GET', `${service.url}/readyz`)).status).toBe(200);
    expect(await metrics(service)).toMatch(/^eventmanager_store_connections\{state="used"\} [1-9]/m);
    await client.query('ROLLBACK');
    expect((await publishing).status).toBe(201);
    await until('it is well again', 5_000, async () => (await health(service)).status === 'ok');
  });

  it('waits at its start for a database that is not there yet, and starts when it is', async () => {
    await server.start().catch(() => {});
    const database = await createTestDatabase({ server });
    await server.stop();
    const service = makeInstance(database.url, { environment });
    const listening = service.listening();
    await until('it says that it waits', 10_000, () => service.log.some((line) => line.includes('not there yet')));
    await server.start();
    await listening;
    expect((await call('POST', `${service.url}/events`, event())).status).toBe(201);
    expect(service.log.join('\n')).toContain(`database ${database.name} on 127.0.0.1:`);
    await until('it has spoken', 5_000, () => service.complaint.includes('curl'));
    expect(service.complaint).toContain(`keeps events in PostgreSQL: database ${database.name} on 127.0.0.1:`);
    expect(`${service.log.join('\n')}${service.complaint}`).not.toContain(new URL(database.url).password);
  });

  it('ends with one sentence when it waited in vain, and at once when waiting would not help', async () => {
    await server.start().catch(() => {});
    const database = await createTestDatabase({ server });
    const complaint = async (url: string, more: Readonly<Record<string, string>> = {}) => {
      const service = makeInstance(url, { environment: { ...environment, ...more } });
      service.listening().catch(() => {});
      expect(await service.exited).toBe(1);
      await until('it has spoken', 5_000, () => service.complaint !== '');
      expect(service.complaint).toMatch(/^event-manager: PostgreSQL \(database .*\n$/);
      expect(service.complaint).not.toContain(new URL(database.url).password);
      expect(service.complaint).not.toContain('hidden-word');
      expect(service.log.join('\n')).not.toContain('hidden-word');
      return service.complaint;
    };
    const changed = (change: (url: URL) => void) => {
      const url = new URL(database.url);
      change(url);
      return url.href;
    };
    const wrongPassword = changed((url) => void (url.password = 'hidden-word'));
    expect(await complaint(wrongPassword)).toMatch(/refused the user or the password/);
    expect(await complaint(changed((url) => void (url.password = '')))).toMatch(/asks for a password/);
    expect(await complaint(changed((url) => void (url.pathname = '/nowhere')))).toMatch(
      /database nowhere on 127\.0\.0\.1:\d+\) does not exist.*createdb/,
    );
    expect(await complaint(changed((url) => void (url.search = '?sslmode=verify-full')))).toMatch(/does not encrypt/);
    const nobody = changed((url) => void (url.port = '1'));
    expect(await complaint(nobody, { EVENT_MANAGER_DATABASE_START_TIMEOUT_MS: '1000' })).toMatch(
      /could not be reached for 1 s.*\[store_unavailable\]/,
    );
  });
});

/** One connection, that does not come back when it is lost. */
async function openStream(url: string): Promise<{ text: string; isOver: boolean }> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const { body } = await fetch(url, { signal: abort.signal });
  const stream = { text: '', isOver: false };
  const decoder = new TextDecoder();
  const read = async () => {
    for await (const part of body!) stream.text += decoder.decode(part, { stream: true });
  };
  read()
    .catch(() => {})
    .finally(() => {
      stream.isOver = true;
    });
  return stream;
}

/** The server and every process that it made for a connection. */
function serverPids({ pid }: PrivateServer): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return [pid!, ...children.trim().split(' ').map(Number)];
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It was for a connection that has ended.
  }
}
