import { eventStoreConformance, stateStoreConformance } from '@event-manager/testing/conformance';
import { redisHarness } from './support/redis-harness.ts';
import { withRedis } from './support/with-redis.ts';

await withRedis(() => {
  const harness = redisHarness();
  eventStoreConformance(harness);
  stateStoreConformance(harness);
});
