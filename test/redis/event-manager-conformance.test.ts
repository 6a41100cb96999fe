import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { redisBeside } from '@event-manager/redis';
import { ajvSchemas } from '@event-manager/schema';
import { eventManagerConformance } from '@event-manager/testing/conformance';
import { Databases } from '../../packages/postgres/test/support/databases.ts';
import { withServers } from '../../packages/redis/test/support/with-servers.ts';

await withServers((server, { url: redisUrl }) => {
  const databases = new Databases(server);
  let made = 0;
  eventManagerConformance({
    name: 'embedded on PostgreSQL with Redis beside it',
    async open() {
      const database = await databases.create();
      const keyPrefix = `test:${process.pid}:${++made}:`;
      const make = () => {
        const adapter = postgres({ url: database.url, maxConnections: 4 });
        return new EventManager({
          adapter: redisBeside(adapter, { url: redisUrl, keyPrefix }),
          schemas: ajvSchemas(),
        });
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
          await database.drop();
        },
      };
    },
  });
});
