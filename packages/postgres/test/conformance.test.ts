import { eventStoreConformance, stateStoreConformance } from '@event-manager/testing/conformance';
import { afterAll } from 'vitest';
import { postgresHarness } from './support/conformance-harness.ts';
import { Databases } from './support/databases.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server, 'turned');
  afterAll(() => databases.close());
  const harness = postgresHarness(server, databases);
  eventStoreConformance(harness);
  stateStoreConformance(harness);
});
