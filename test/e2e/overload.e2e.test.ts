import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/** `OVERLOAD_SECONDS=60` for the whole of it. */
const SECONDS = Number(process.env['OVERLOAD_SECONDS'] ?? 8);
const OVERLOAD = 3;
const BATCH = 50;
const PAYLOAD = 'x'.repeat(2_000);
/** Events that wait for the disk before more are refused: forty batches. */
const WAITING_MAX = 2_000;
const RSS_MIB_MAX = 768;
const SAMPLE = 500;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** Publishers that do not listen must neither fill the memory of the service nor cost anybody an acknowledged event. */
it('refuses with Retry-After what is published at three times its capacity, stays small, and loses nothing that it acknowledged', {
  timeout: (SECONDS + 90) * 1_000,
}, async () => {
  const dataDir = temporaryDirectory();
  const endpoint = await slowReceiver();
  let service = await start(dataDir);
  await post(`${service.url}/subscriptions`, JSON.stringify({ name: 'slow', topic: '#', endpoint }));
  const capacity = await capacityOf(service.url);
  // The first look at the metrics begins to measure.
  await loopDelayP99(service.url);
  const acknowledged: string[] = [];
  const refused = new Map<number, number>();
  const rssMiB: number[] = [];
  const sampling = setInterval(() => void residentMiB(service.pid).then((mib) => rssMiB.push(mib)), 250);
  const offered = await overload(service.url, OVERLOAD * capacity, ({ status, retryAfter, body }) => {
    if (status === 201) acknowledged.push(...idsIn(body));
    else {
      refused.set(status, (refused.get(status) ?? 0) + 1);
      expect([429, 503]).toContain(status);
      expect(Number(retryAfter)).toBeGreaterThan(0);
    }
  });
  clearInterval(sampling);
  const loopDelay = await loopDelayP99(service.url);
  await service.stop('SIGKILL');
  service = await start(dataDir);
  const { head } = (await (await fetch(`${service.url}/health`)).json()) as { head: number };
  const missing = await missingOf(service.url, acknowledged);
  process.stdout.write(
    `${JSON.stringify({
      test: 'D10',
      seconds: SECONDS,
      capacityPerSecond: Math.round(capacity),
      offeredPerSecond: Math.round(offered / SECONDS),
      acknowledged: acknowledged.length,
      refusedRequests: Object.fromEntries(refused),
      rssMiBMax: Math.round(Math.max(...rssMiB)),
      loopDelayP99Ms: loopDelay,
      head,
      missing,
    })}\n`,
  );
  expect(refused.get(429)).toBeGreaterThan(0);
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(Math.max(...rssMiB)).toBeLessThan(RSS_MIB_MAX);
  expect(head).toBeGreaterThanOrEqual(acknowledged.length);
  expect(missing).toBe(0);
});

async function start(dataDir: string): Promise<ServiceProcess> {
  const environment = {
    EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback',
    EVENT_MANAGER_PUBLISH_WAITING_MAX: String(WAITING_MAX),
  };
  const service = await ServiceProcess.start({ dataDir, port: 0, environment });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  return service;
}

/** Takes some hundred events a second: what it is owed piles up, too. */
async function slowReceiver(): Promise<string> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    setTimeout(() => response.writeHead(204).end(), 20);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Events a second with as many requests under way as fit. */
async function capacityOf(url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const endMs = performance.now() + 2_000;
  let stored = 0;
  const publisher = async () => {
    while (performance.now() < endMs) {
      const { status } = await post(`${url}/events/batch`, BODY, agent);
      if (status === 201) stored += BATCH;
    }
  };
  await Promise.all(Array.from({ length: 16 }, publisher));
  agent.destroy();
  return stored / 2;
}

/** Sends so many a second whatever becomes of them; resolves with how many were sent when all are answered. */
async function overload(url: string, perSecond: number, onAnswer: (answer: Answer) => void): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 400 });
  const beganMs = performance.now();
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  for (;;) {
    const elapsedMs = performance.now() - beganMs;
    if (elapsedMs >= SECONDS * 1_000) break;
    for (; sent < (perSecond * elapsedMs) / 1_000; sent += BATCH) {
      const answered: Promise<void> = post(`${url}/events/batch`, BODY, agent)
        .then(onAnswer)
        .finally(() => underWay.delete(answered));
      underWay.add(answered);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(underWay);
  agent.destroy();
  return sent;
}

const BODY = JSON.stringify(
  Array.from({ length: BATCH }, (_, n) => ({ type: 'load.offered', source: 'test', payload: { n, text: PAYLOAD } })),
);

function post(url: string, body: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(url, { method: 'POST', headers, ...(agent ? { agent } : {}) }, (response) => {
      const { statusCode = 0, headers: answered } = response;
      text(response).then(
        (read) => resolve({ status: statusCode, retryAfter: answered['retry-after'], body: read }),
        reject,
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function idsIn(body: string): string[] {
  return (JSON.parse(body) as { results: { id: string }[] }).results.map(({ id }) => id);
}

/** How many of a sample, the last ones among it, are not there. */
async function missingOf(url: string, ids: readonly string[]): Promise<number> {
  const step = Math.max(1, Math.floor(ids.length / SAMPLE));
  let missing = 0;
  for (const id of [...ids.filter((_, at) => at % step === 0), ...ids.slice(-SAMPLE)]) {
    const response = await fetch(`${url}/events/${id}`);
    await response.arrayBuffer();
    if (response.status !== 200) missing++;
  }
  return missing;
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1_024;
}

/** Told and not judged: who else is on the machine decides about it. */
async function loopDelayP99(url: string): Promise<number | undefined> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [, seconds] = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? ([\d.e+-]+)$/m.exec(metrics) ?? [];
  return seconds === undefined ? undefined : Math.round(Number(seconds) * 1_000);
}
