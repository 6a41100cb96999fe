import { eventManagerConformance } from '@event-manager/testing/conformance';
import { Databases } from './support/databases.ts';
import { eventManagerHarness } from './support/event-manager-harness.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  eventManagerConformance(eventManagerHarness(new Databases(server), 'embedded on PostgreSQL'));
});
