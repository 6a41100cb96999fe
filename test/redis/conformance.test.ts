import { redisBeside } from '@event-manager/redis';
import { eventStoreConformance, stateStoreConformance } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { postgresHarness } from '../../packages/postgres/test/support/conformance-harness.ts';
import { Databases } from '../../packages/postgres/test/support/databases.ts';
import { withServers } from '../../packages/redis/test/support/with-servers.ts';

await withServers(async (database) => {
  const { url, keyPrefix } = await createTestKeys();
  const harness = postgresHarness(new Databases(database, 'turned'), 'never crashes', {
    name: 'postgres+redis',
    wrap: (adapter) => redisBeside(adapter, { url, keyPrefix }),
  });
  eventStoreConformance(harness);
  stateStoreConformance(harness);
});
