import { EventManager } from '@event-manager/core';
import { redis } from '@event-manager/redis';
import { ajvSchemas } from '@event-manager/schema';
import { eventManagerConformance } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { withRedis } from './support/with-redis.ts';

await withRedis(() => {
  eventManagerConformance({
    name: 'embedded on Redis',
    async open() {
      const keys = await createTestKeys();
      const make = () => {
        const adapter = redis({ url: keys.url, keyPrefix: keys.keyPrefix });
        return new EventManager({ adapter, schemas: ajvSchemas() });
      };
      let events = make();
      return {
        events,
        async reopen() {
          await events.close();
          events = make();
          return events;
        },
        async dispose() {
          await events.close();
          await keys.remove();
        },
      };
    },
  });
});
