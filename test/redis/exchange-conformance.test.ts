import { setTimeout as pause } from 'node:timers/promises';
import { postgres } from '@event-manager/postgres';
import { redisBeside } from '@event-manager/redis';
import { FaultProxy } from '@event-manager/testing';
import { exchangeConformance } from '@event-manager/testing/conformance';
import { Databases } from '../../packages/postgres/test/support/databases.ts';
import { withServers } from '../../packages/redis/test/support/with-servers.ts';

await withServers((server, redis) => {
  const databases = new Databases(server);
  let opened = 0;
  exchangeConformance({
    name: 'Redis beside PostgreSQL, between two processes with it and one without',
    async open() {
      const database = await databases.create();
      const ways = [await FaultProxy.start(database.url), await FaultProxy.start(redis.url)] as const;
      const keyPrefix = `test:${process.pid}:exchange:${++opened}:`;
      const plain = () => postgres({ url: ways[0].url, maxConnections: 2 });
      const beside = () => redisBeside(plain(), { url: ways[1].url, keyPrefix });
      const adapters = [beside(), beside(), plain()] as const;
      for (const adapter of adapters) await adapter.open();
      let isClosed = false;
      return {
        exchanges: [adapters[0].exchange!, adapters[1].exchange!, adapters[2].exchange!],
        moment: () => pause(5),
        async cut() {
          for (const way of ways) way.reset();
        },
        async close() {
          if (isClosed) return;
          isClosed = true;
          for (const adapter of adapters) await adapter.close();
          for (const way of ways) await way.close();
          await database.drop();
        },
      };
    },
  });
});
