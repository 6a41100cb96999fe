import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EventManagerClient } from '@event-manager/client';
import { createClient } from 'redis';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { inFlight } from './in-flight.ts';
import { startRedis } from './redis-server.ts';
import { alternate } from './rounds.ts';
import { sampleEvent } from './sample-events.ts';
import { startServiceUnderTest } from './service-under-test.ts';
import { percentile } from './statistics.ts';

const WINDOW = 1_024;
const RATIO_MIN = 1.5;

/** Durable publishing over one WebSocket, against Redis Streams through its own client with the same number under way. */
export async function wsPublish(bench: Bench): Promise<Measured> {
  const count = sized(bench, { full: 200_000, quick: 50_000, smoke: 600 });
  const redis = await startRedis(join(bench.folder, 'redis'));
  const service = await startServiceUnderTest(join(bench.folder, 'data'));
  const client = new EventManagerClient(service.url);
  let latenciesMs: Float64Array = new Float64Array(0);
  const publish = async () => {
    const run = await inFlight({ count, window: WINDOW, call: (index) => client.publish(sampleEvent(index)) });
    latenciesMs = run.latenciesMs;
    return run.perSecond;
  };
  try {
    const compared = redis === undefined ? undefined : await besideRedis(bench, redis.url, count, publish);
    const value = compared?.value ?? (await publish());
    const peer =
      compared === undefined
        ? 'skipped: there is no redis-server on this machine'
        : 'XADD through the redis client, appendfsync always';
    return {
      value,
      unit: 'events/s',
      ...compared,
      p50: percentile(latenciesMs, 0.5),
      p99: percentile(latenciesMs, 0.99),
      ...(compared === undefined ? {} : { ok: compared.ratio >= RATIO_MIN }),
      note: `one connection, ${WINDOW} under way; peer: ${peer}; client and server share ${availableParallelism()} cores; p50 and p99 in ms, last round`,
    };
  } finally {
    await client.close();
    await service.stop();
    await redis?.stop();
  }
}

async function besideRedis(bench: Bench, url: string, count: number, publish: () => Promise<number>) {
  const redis = await createClient({ url }).connect();
  try {
    return await alternate(bench, publish, async () => {
      const call = (index: number) => redis.xAdd('events', '*', { event: JSON.stringify(sampleEvent(index)) });
      return (await inFlight({ count, window: WINDOW, call })).perSecond;
    });
  } finally {
    redis.destroy();
  }
}
