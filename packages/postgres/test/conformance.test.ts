import { eventStoreConformance, stateStoreConformance } from '@event-manager/testing/conformance';
import { postgresHarness } from './support/conformance-harness.ts';
import { Databases } from './support/databases.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server, 'turned');
  const harness = postgresHarness(databases);
  eventStoreConformance(harness);
  stateStoreConformance(harness);
});
