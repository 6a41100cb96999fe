import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { ajvSchemas } from '@event-manager/schema';
import { eventManagerConformance } from '@event-manager/testing/conformance';
import { Databases } from './support/databases.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);
  eventManagerConformance({
    name: 'embedded on PostgreSQL',
    async open() {
      const database = await databases.create();
      const { url } = database;
      const make = () => new EventManager({ adapter: postgres({ url, maxConnections: 4 }), schemas: ajvSchemas() });
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
