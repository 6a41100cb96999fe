import { type EventBusAdapter, EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { redisBeside } from '@event-manager/redis';
import { createTestDatabase, startRedis } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { until } from './support/until.ts';
import { withServers } from './support/with-servers.ts';

const PROCESSES = 3;
const EVENTS = 300;

await withServers(() => {
  /** If this failed, members that are connected to another instance would get nothing, or a Redis that goes would take events along. */
  it('serves members of one subscription at several processes, with Redis, without it and again with it', async () => {
    await using redis = await startRedis();
    await using database = await createTestDatabase();
    const adapters: EventBusAdapter[] = Array.from({ length: PROCESSES }, () =>
      redisBeside(postgres({ url: database.url, maxConnections: 4 }), { url: redis.url }),
    );
    const buses = adapters.map((adapter) => new EventManager({ adapter }));
    const received = new Map<string, number>();
    let counts = buses.map(() => 0);
    for (const [at, bus] of buses.entries()) {
      await bus.subscribe({
        ...{ topic: '#', name: 'shared', options: { maxConcurrency: 2 } },
        handler: async ({ id }) => {
          received.set(id, (received.get(id) ?? 0) + 1);
          counts[at]!++;
          await new Promise((resolve) => setTimeout(resolve, 1));
        },
      });
    }
    const acknowledged: string[] = [];
    const publish = async () => {
      counts = buses.map(() => 0);
      const events = Array.from({ length: EVENTS }, () => ({ type: 'a.b', source: 'test' }));
      const { results } = await buses[0]!.publishBatch(events);
      for (const result of results) if ('id' in result) acknowledged.push(result.id);
      await until(() => acknowledged.every((id) => received.has(id)), 'Everything acknowledged');
    };
    const isUp = (state: string) => adapters.every((adapter) => adapter.health().facts['redis'] === state);
    const allTookPart = () => counts.every((count) => count > 0);

    await until(() => isUp('up'));
    await until(async () => {
      await publish();
      return allTookPart();
    });
    await redis.stop('killed');
    await publish();
    await until(() => isUp('away'));
    await until(async () => {
      await publish();
      return allTookPart();
    });
    await redis.start();
    await until(() => isUp('up'));
    await until(async () => {
      await publish();
      return allTookPart();
    });
    for (const bus of buses) await bus.close();
    expect(acknowledged.filter((id) => !received.has(id))).toEqual([]);
    // A member whose answer was lost is asked again: that is known, and bounded.
    const duplicates = [...received.values()].reduce((sum, count) => sum + count - 1, 0);
    expect(duplicates).toBeLessThanOrEqual(2 * PROCESSES);
  });
});
