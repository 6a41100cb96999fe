import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { EventManagerClient } from '@event-manager/client';
import { Arrivals } from './arrivals.ts';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { publishOnSchedule } from './publish-on-schedule.ts';
import { startServiceUnderTest } from './service-under-test.ts';
import { median } from './statistics.ts';

const PER_SECOND = 10_000;
const WARM_UP_SECONDS = 10;
const P99_MS_MAX = 100;
/** Answers may come this much later than their events were due: the rate is held, not caught up with. */
const BEHIND_MS_MAX = 1_000;
const RSS_EVERY_MS = 5_000;
const RSS_GROWTH_MAX = 1.1;
const WEBHOOK_BATCH = 100;

/**
 * Ten thousand events a second for half an hour, published over HTTP, delivered by a webhook and over a WebSocket with
 * acknowledgements. The rate is held when every event was taken and nothing fell behind; memory is flat when the last third
 * of the time needs no more than the last two.
 */
export async function sustained10k(bench: Bench): Promise<Measured> {
  const seconds = sized(bench, { full: 1_800, quick: 60, smoke: 0.1 });
  const count = Math.floor(seconds * PER_SECOND);
  const warmUp = Math.min(count >> 1, WARM_UP_SECONDS * PER_SECOND);
  const overSocket = new Arrivals(count, PER_SECOND);
  const byWebhook = new Arrivals(count, PER_SECOND);
  const receiver = await startReceiver(byWebhook);
  const service = await startServiceUnderTest(join(bench.folder, 'data'), { webhookAllow: 'loopback' });
  const client = new EventManagerClient(service.url);
  const rssMiB: number[] = [];
  const sampling = setInterval(() => void residentMiB(service.pid).then((mib) => rssMiB.push(mib)), RSS_EVERY_MS);
  try {
    await client.subscribe({ name: 'hook', topic: '#', endpoint: receiver.url, options: { batchSize: WEBHOOK_BATCH } });
    await client.subscribe({
      name: 'socket',
      topic: '#',
      options: { maxConcurrency: 1_000 },
      handler({ payload }) {
        overSocket.arrived(payload['index'] as number);
      },
    });
    const onStart = (startedMs: number) => {
      overSocket.start(startedMs);
      byWebhook.start(startedMs);
    };
    const { refused, tookMs } = await publishOnSchedule({ url: service.url, perSecond: PER_SECOND, count, onStart });
    await Promise.all([overSocket.settled(), byWebhook.settled()]);
    rssMiB.push(await residentMiB(service.pid));
    const [socket, webhook] = [overSocket.latencies(warmUp), byWebhook.latencies(warmUp)];
    const missing = overSocket.missing + byWebhook.missing;
    const [rssMiddle, rssEnd] = thirds(rssMiB);
    const isHeld = refused === 0 && missing === 0 && tookMs < seconds * 1_000 + BEHIND_MS_MAX;
    const isQuick = socket.p99 <= P99_MS_MAX && webhook.p99 <= P99_MS_MAX;
    return {
      value: (count * 1_000) / tookMs,
      unit: 'events/s',
      p50: Math.max(socket.p50, webhook.p50),
      p99: Math.max(socket.p99, webhook.p99),
      ok: isHeld && isQuick && rssEnd <= rssMiddle * RSS_GROWTH_MAX,
      note: `${seconds} s, over HTTP batches, to a webhook and a WebSocket; the worse of both in ms; everything shares ${availableParallelism()} cores`,
      details: {
        missing,
        refused,
        socketP99: socket.p99,
        webhookP99: webhook.p99,
        max: Math.max(socket.max, webhook.max),
        rssMiddleMiB: rssMiddle,
        rssEndMiB: rssEnd,
      },
    };
  } finally {
    clearInterval(sampling);
    await client.close();
    await service.stop();
    receiver.close();
  }
}

async function startReceiver(arrivals: Arrivals): Promise<{ url: string; close: () => void }> {
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as { events?: readonly Received[] } & Received;
    for (const { payload } of body.events ?? [body]) arrivals.arrived(payload.index);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

interface Received {
  readonly payload: { readonly index: number };
}

/** Of the last two thirds of the samples and of the last third: the first third is warming up. */
function thirds(samples: readonly number[]): readonly [number, number] {
  const third = Math.max(1, Math.floor(samples.length / 3));
  return [median(samples.slice(-2 * third)), median(samples.slice(-third))];
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1_024;
}
