import { redis } from '@event-manager/redis';
import { FaultProxy } from '@event-manager/testing';
import { exchangeConformance } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { pause } from '../support/until.ts';
import { withRedis } from '../support/with-redis.ts';

await withRedis((server) => {
  exchangeConformance({
    name: 'Redis as the whole bus',
    async open() {
      const way = await FaultProxy.start(server.url);
      const { keyPrefix, remove } = await createTestKeys();
      const make = () => redis({ url: way.url, keyPrefix });
      const adapters = [make(), make(), make()] as const;
      for (const adapter of adapters) await adapter.open();
      let isClosed = false;
      return {
        exchanges: [adapters[0].exchange, adapters[1].exchange, adapters[2].exchange],
        moment: () => pause(5),
        cut: async () => way.reset(),
        async close() {
          if (isClosed) return;
          isClosed = true;
          for (const adapter of adapters) await adapter.close();
          await way.close();
          await remove();
        },
      };
    },
  });
});
