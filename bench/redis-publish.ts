import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { redis } from '@event-manager/redis';
import { createClient } from 'redis';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { inFlight } from './in-flight.ts';
import { startRedis } from './redis-server.ts';
import { alternate } from './rounds.ts';
import { sampleAppendable, sampleEvent } from './sample-events.ts';
import { percentile } from './statistics.ts';

const WINDOW = 512;
const RATIO_MIN = 0.7;
const READY = 4_096;

/** Embedded `publish` on a Redis that syncs each write, against bare `XADD` of the same bodies on the same server. */
export async function redisPublish(bench: Bench): Promise<Measured> {
  const server = await startRedis(join(bench.folder, 'redis'));
  if (server === undefined) {
    return { value: 0, unit: 'events/s', note: 'skipped: there is no redis-server on this machine' };
  }
  const count = sized(bench, { full: 100_000, quick: 20_000, smoke: 600 });
  const bus = new EventManager({ adapter: redis({ url: server.url, durability: 'synced' }) });
  const bare = await createClient({ url: server.url }).connect();
  const events = Array.from({ length: READY }, (_, index) => sampleEvent(index));
  const bodies = Array.from({ length: READY }, (_, index) => {
    const { body } = sampleAppendable(index, READY, Date.now());
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  });
  let latenciesMs: Float64Array = new Float64Array(0);
  try {
    const compared = await alternate(
      bench,
      async () => {
        const publish = (index: number) => bus.publish({ ...events[index % READY]!, id: randomUUID() });
        const run = await inFlight({ count, window: WINDOW, call: publish });
        latenciesMs = run.latenciesMs;
        return run.perSecond;
      },
      async () => {
        const add = (index: number) => bare.xAdd('bare', '*', { body: bodies[index % READY]! });
        return (await inFlight({ count, window: WINDOW, call: add })).perSecond;
      },
    );
    return {
      ...compared,
      unit: 'events/s',
      p50: percentile(latenciesMs, 0.5),
      p99: percentile(latenciesMs, 0.99),
      ok: compared.ratio >= RATIO_MIN,
      note: `${WINDOW} in flight, random ids; limit: XADD of the same bodies through the redis client, appendfsync always; p50 and p99 in ms, last round`,
    };
  } finally {
    await bus.close();
    bare.destroy();
    await server.stop();
  }
}
