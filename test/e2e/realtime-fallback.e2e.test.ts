import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkHistory, type HistoryEntry, SeededChance } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { digest } from '../../examples/github-demo/digest.ts';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { publishUntilAcknowledged } from './support/publish-until-acknowledged.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

/** `KILLS=50 SEED=7` runs it longer, or again. */
const KILLS = Number(process.env['KILLS'] ?? 5);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
const RECEIVER = join(import.meta.dirname, 'support/realtime-receiver.ts');
const SECRET = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';
const PUBLISHERS = 4;
const PAUSE_MS = 5;
const LIFE_MS_MAX = 600;
/** Of a dialled connection; as many deliveries can be in the hands of a receiver that dies. */
const BUFFER = 100;
const ATTACHED_WINDOW = 32;
/** Promised: not longer between the end of the receiver, which the kernel tells at once, and the fallback. */
const SWITCH_MS_MAX = 1_000;
/** Scheduling of this machine, which runs other things. */
const SLACK_MS = 500;

interface Delivered {
  readonly over: 'realtime' | 'webhook';
  readonly id: string;
  readonly attempt: number;
  readonly atMs: number;
}

/** What the killed one had must come by the webhook, and what comes later by the one that is back: losing it is losing alarms. */
it.each(['dialled', 'attached'] as const)(
  `a receiver (%s) that is killed ${KILLS} times loses nothing`,
  {
    timeout: 60_000 + KILLS * 15_000,
  },
  async (way) => {
    const chance = new SeededChance(SEED);
    const history: HistoryEntry[] = [{ kind: 'subscribe', subscription: 'realtime' }];
    const delivered: Delivered[] = [];
    const take = (over: Delivered['over'], id: string, attempt: number, payload: object) => {
      delivered.push({ over, id, attempt, atMs: performance.now() });
      history.push({ kind: 'deliver', subscription: 'realtime', id, attempt, digest: digest(payload) });
    };
    const hook = await webhook((id, attempt, payload) => take('webhook', id, attempt, payload));
    const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };
    const service = await ServiceProcess.start({ dataDir: join(temporaryDirectory(), 'data'), port: 0, environment });
    onTestFinished(async () => void (await service.stop('SIGKILL')));
    const { url } = service;
    const port = await freePort();
    const start = () =>
      startReceiver(way === 'dialled' ? [way, String(port), SECRET] : [way, url, hook], (id, attempt, payload) =>
        take('realtime', id, attempt, payload),
      );
    let receiver = await start();
    if (way === 'dialled') await subscribe(url, port, hook);

    let isStopping = false;
    const publishers = Array.from({ length: PUBLISHERS }, async (_, client) => {
      for (let number = 0; !isStopping; number++) {
        const event = { id: crypto.randomUUID(), type: 'load.made', source: 'test', payload: { client, number } };
        await publishUntilAcknowledged(event, { url, client: String(client), history, subscriptions: ['realtime'] });
        // A load, and not a race for the processor with the receiver that starts.
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    });

    const countOver = (over: Delivered['over']) => delivered.filter((delivery) => delivery.over === over).length;
    const switchMs: number[] = [];
    const backMs: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const realtimeBefore = countOver('realtime');
      const startedMs = performance.now();
      await until('the receiver gets events', 60_000, () => countOver('realtime') > realtimeBefore);
      if (kill > 0) backMs.push(performance.now() - startedMs);
      await new Promise((resolve) => setTimeout(resolve, chance.fraction() * LIFE_MS_MAX));
      const before = delivered.length;
      const killedMs = performance.now();
      receiver.kill('SIGKILL');
      await once(receiver, 'exit');
      const first = () => delivered.slice(before).find(({ over, atMs }) => over === 'webhook' && atMs >= killedMs);
      await until('the webhook serves', 10_000, () => first() !== undefined);
      switchMs.push(first()!.atMs - killedMs);
      await new Promise((resolve) => setTimeout(resolve, chance.fraction() * LIFE_MS_MAX));
      receiver = await start();
    }
    await until('the receiver gets events again', 60_000, () => delivered.at(-1)?.over === 'realtime');
    isStopping = true;
    await Promise.all(publishers);
    const acknowledged = new Set(history.flatMap((entry) => (entry.kind === 'ok' ? [entry.id] : [])));
    const arrived = () => new Set(delivered.map(({ id }) => id));
    await until('every acknowledged event has arrived', 60_000, () => {
      const ids = arrived();
      return [...acknowledged].every((id) => ids.has(id));
    });

    const report = checkHistory(history);
    const { duplicates } = report;
    const rounded = (values: readonly number[]) => Math.round(Math.max(...values, 0));
    const { status } = await described(url);
    const line = {
      ...{
        test: 'realtime-fallback',
        way,
        seed: SEED,
        kills: KILLS,
        ...report,
        subscriptions: undefined,
        examples: undefined,
      },
      ...{ overWebhook: countOver('webhook'), overRealtime: countOver('realtime') },
      ...{ switchMsMax: rounded(switchMs), backMsMax: rounded(backMs), switches: status.realtime.switches },
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    expect(report, `SEED=${SEED}`).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
    expect(duplicates).toBeLessThanOrEqual(KILLS * (way === 'dialled' ? BUFFER : ATTACHED_WINDOW));
    expect(Math.max(...switchMs)).toBeLessThanOrEqual(SWITCH_MS_MAX + SLACK_MS);
    expect(status.realtime).toMatchObject({ connected: true, way: 'realtime', switches: 2 * KILLS });
    // What was under way on a lost connection costs no retry: nothing failed, so nothing is put off or given up.
    expect(status.counts).toMatchObject({ failed: 0, retried: 0, deadLettered: 0 });
  },
);

async function subscribe(url: string, port: number, fallbackWebhook: string): Promise<void> {
  const endpoint = `ws://127.0.0.1:${port}/events/realtime`;
  const options = { realtime: true, fallback_webhook: fallbackWebhook, reconnectAttempts: 5, bufferSize: BUFFER };
  const body = JSON.stringify({ name: 'realtime', topic: 'load.*', endpoint, secret: SECRET, options });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/subscriptions`, { method: 'POST', headers, body });
  expect([response.status, await response.text()]).toEqual([201, expect.any(String)]);
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the service, looked at in passing.
async function described(url: string): Promise<any> {
  const { data } = (await (await fetch(`${url}/subscriptions?name=realtime`)).json()) as { data: unknown[] };
  return data[0];
}

async function startReceiver(
  args: readonly string[],
  take: (id: string, attempt: number, payload: object) => void,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=source', RECEIVER, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ready = Promise.withResolvers<void>();
  createInterface(child.stdout!).on('line', (line) => {
    const { ready: isReady, id, attempt, payload } = JSON.parse(line);
    if (isReady) ready.resolve();
    else take(id, attempt, payload);
  });
  await ready.promise;
  return child;
}

async function webhook(take: (id: string, attempt: number, payload: object) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { id, payload } = JSON.parse(text);
    take(id, Number(request.headers['event-manager-attempt']), payload);
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
