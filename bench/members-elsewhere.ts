/**
 * `node --conditions=source bench/members-elsewhere.ts`: deliveries to a handler at the process that serves its subscription,
 * beside those to one at another process, by NOTIFY and by Redis. Latency is from `publish` to the handler at 200 events a
 * second, throughput that of 5,000 events published at once. Starts private servers.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { ANONYMOUS, Engine, type EventBusAdapter, type Sink } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { redisBeside } from '@event-manager/redis';
import { createTestDatabase, startPostgres, startRedis } from '@event-manager/testing/servers';

const PACED = 1_000;
const PACE_MS = 5;
const BURST = 5_000;
const OPTIONS = { maxConcurrency: 64, inFlightMax: 1_000 };
const REQUEST = { topic: '#', name: 'measured', options: OPTIONS };

interface Result {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

function adapterOf(url: string, redisUrl: string | undefined): EventBusAdapter {
  const adapter = postgres({ url });
  return redisUrl ? redisBeside(adapter, { url: redisUrl }) : adapter;
}

/** Notes what comes, and resolves with the figures when everything is there. */
function measured(): { handler: (event: { payload: Record<string, unknown> }) => void; result: Promise<Result> } {
  const latencies: number[] = [];
  let burst = 0;
  let burstBeganAt = 0;
  const { promise, resolve } = Promise.withResolvers<Result>();
  const handler = ({ payload: { sentAt, isBurst } }: { payload: Record<string, unknown> }) => {
    const now = performance.timeOrigin + performance.now();
    if (!isBurst) latencies.push(now - Number(sentAt));
    else {
      burstBeganAt ||= Number(sentAt);
      if (++burst < BURST) return;
      latencies.sort((a, b) => a - b);
      const at = (share: number) => Math.round(latencies[Math.floor(latencies.length * share)]! * 100) / 100;
      resolve({ p50Ms: at(0.5), p99Ms: at(0.99), perSecond: Math.round(BURST / ((now - burstBeganAt) / 1_000)) });
    }
  };
  return { handler, result: promise };
}

function event(isBurst: boolean) {
  const sentAt = performance.timeOrigin + performance.now();
  return { type: 'measured', source: 'bench', topic: 'measured', payload: { sentAt, isBurst } };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function publishAll(engine: Engine): Promise<void> {
  for (let at = 0; at < PACED; at++) {
    void engine.publish(ANONYMOUS, event(false));
    await pause(PACE_MS);
  }
  await pause(500);
  const events = Array.from({ length: BURST }, () => event(true));
  for (let at = 0; at < BURST; at += 500) await engine.publishBatch(ANONYMOUS, events.slice(at, at + 500));
}

/** The owner, and its own handler or a member elsewhere. */
async function run(name: string, server: { readonly url: string }, redisUrl: string | undefined): Promise<void> {
  await using database = await createTestDatabase({ server });
  const engine = await Engine.open({ adapter: adapterOf(database.url, redisUrl) });
  const { handler, result } = measured();
  let member: ChildProcess | undefined;
  let figures = result;
  if (name === 'local') await engine.subscriptions.subscribe(ANONYMOUS, { ...REQUEST, handler });
  else {
    const resting: Sink = {
      isUp: false,
      deliver: (batch) => batch.map(() => ({ status: 'release' })),
      close: async () => {},
    };
    const { id } = await engine.subscriptions.subscribe(ANONYMOUS, REQUEST, { sink: resting });
    while (!engine.isServing(id)) await pause(20);
    member = fork(import.meta.filename, ['member', database.url, redisUrl ?? ''], { execArgv: process.execArgv });
    figures = new Promise((resolve) => member!.on('message', (message) => resolve(message as Result)));
    while (engine.subscriptions.status(ANONYMOUS, id).members !== 2) await pause(20);
  }
  await pause(1_000);
  await publishAll(engine);
  console.log(JSON.stringify({ members: name, ...(await figures) }));
  member?.kill();
  await engine.close({ drainMs: 100 });
}

/** A handler at another process than the owner. */
async function beMember(url: string, redisUrl: string): Promise<void> {
  const engine = await Engine.open({ adapter: adapterOf(url, redisUrl || undefined) });
  const { handler, result } = measured();
  const sink: Sink = {
    single: true,
    deliver: ([delivery]) => {
      handler(JSON.parse(Buffer.from(delivery!.record.body).toString()));
      return [{ status: 'delivered' }];
    },
    close: async () => {},
  };
  await engine.subscriptions.subscribe(ANONYMOUS, REQUEST, { sink });
  process.send!(await result);
}

if (process.argv[2] === 'member') await beMember(process.argv[3]!, process.argv[4]!);
else {
  const server = await startPostgres();
  const redis = await startRedis();
  try {
    for (const name of ['local', 'notify', 'redis', 'local', 'notify', 'redis']) {
      await run(name, server, name === 'redis' ? redis.url : undefined);
    }
  } finally {
    await redis.close();
    await server.close();
  }
}
