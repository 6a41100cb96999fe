import { redisBeside } from '@event-manager/redis';
import { eventManagerConformance } from '@event-manager/testing/conformance';
import { Databases } from '../../packages/postgres/test/support/databases.ts';
import { eventManagerHarness } from '../../packages/postgres/test/support/event-manager-harness.ts';
import { withServers } from '../../packages/redis/test/support/with-servers.ts';

await withServers((server, { url }) => {
  let made = 0;
  eventManagerConformance(
    eventManagerHarness(new Databases(server), 'embedded on PostgreSQL with Redis beside it', () => {
      const keyPrefix = `test:${process.pid}:${++made}:`;
      return (adapter) => redisBeside(adapter, { url, keyPrefix });
    }),
  );
});
