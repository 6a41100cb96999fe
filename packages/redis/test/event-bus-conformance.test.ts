import { RedisAdapter } from '@event-manager/redis';
import { eventBusConformance } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { withRedis } from './support/with-redis.ts';

await withRedis(() => {
  eventBusConformance({
    name: 'Redis',
    supports: new RedisAdapter().supports,
    async open() {
      const { url, keyPrefix, remove } = await createTestKeys();
      return { adapter: () => new RedisAdapter({ url, keyPrefix }), dispose: remove };
    },
  });
});
