import { setTimeout as pause } from 'node:timers/promises';
import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import { exchangeConformance } from '@event-manager/testing/conformance';
import { Databases } from '../support/databases.ts';
import { withServer } from '../support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);
  exchangeConformance({
    name: 'PostgreSQL',
    async open() {
      const database = await databases.create();
      const proxy = await FaultProxy.start(database.url);
      const make = async () => {
        const adapter = postgres({ url: proxy.url, maxConnections: 2 });
        await adapter.open();
        return adapter;
      };
      const adapters = [await make(), await make(), await make()] as const;
      let isClosed = false;
      return {
        exchanges: [adapters[0].exchange!, adapters[1].exchange!, adapters[2].exchange!],
        moment: () => pause(5),
        cut: async () => void proxy.reset(),
        async close() {
          if (isClosed) return;
          isClosed = true;
          for (const adapter of adapters) await adapter.close();
          await proxy.close();
          await database.drop();
        },
      };
    },
  });
});
