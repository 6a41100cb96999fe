import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import {
  missingServer,
  type PrivateServer,
  type PrivateServerOptions,
  startRedis,
} from '@event-manager/testing/servers';
import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import { PENDING, ROUNDS } from '../support/figures.ts';
import { LoadedBus } from '../support/loaded-bus.ts';
import { until } from '../support/until.ts';

const IN_FLIGHT_MAX = 1_000;

interface Loss {
  readonly what: string;
  readonly settings: NonNullable<PrivateServerOptions['settings']>;
  lose(redis: PrivateServer): Promise<void>;
}

const LOSSES: readonly Loss[] = [
  { what: 'FLUSHALL', settings: {}, lose: (redis) => ask(redis.url, (client) => client.flushAll()) },
  {
    what: 'kill -9 without an append-only file',
    settings: { appendonly: 'no' },
    async lose(redis) {
      await redis.stop('killed');
      await redis.start();
    },
  },
  {
    what: 'kill -9 and an append-only file that is cut',
    settings: { 'aof-load-truncated': 'yes' },
    async lose(redis) {
      await ask(redis.url, async (client) => {
        for (let n = 0; n < 100; n++) await client.set(`foreign:${n}`, 'x'.repeat(100));
      });
      await redis.stop('killed');
      const folder = join(redis.folder, 'appendonlydir');
      const file = (await readdir(folder)).find((name) => name.endsWith('.incr.aof'))!;
      await truncate(join(folder, file), 1_234);
      await redis.start();
    },
  },
];

const missing = (await missingServer('postgres')) ?? (await missingServer('redis'));

describe.skipIf(missing !== undefined)('a Redis that loses everything under load', () => {
  it.each(LOSSES)(
    'loses nothing of the bus: $what',
    async ({ settings, lose }) => {
      await using redis = await startRedis({ settings });
      const bus = await LoadedBus.start([redis.url, redis.url]);
      let slowestMs = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await until(() => bus.redisStates().every((state) => state === 'up'));
        bus.hold();
        await bus.publishMany(PENDING);
        expect(bus.missing).toBeGreaterThanOrEqual(PENDING);
        await lose(redis);
        bus.goOn();
        slowestMs = Math.max(slowestMs, await bus.arriveMs());
      }
      await bus.close();
      const result = { lost: bus.missing, duplicates: bus.duplicates, slowestMs: Math.round(slowestMs) };
      process.stdout.write(`${JSON.stringify({ rounds: ROUNDS, pending: PENDING, ...result })}\n`);
      expect(result.lost).toBe(0);
      expect(result.duplicates).toBeLessThanOrEqual(IN_FLIGHT_MAX);
      expect(slowestMs).toBeLessThan(30_000);
    },
    60_000 + ROUNDS * 60_000,
  );
});

async function ask(url: string, what: (client: ReturnType<typeof createClient>) => Promise<unknown>): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  await what(client as ReturnType<typeof createClient>);
  client.destroy();
}
