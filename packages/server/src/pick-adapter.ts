/** The one place that picks where events are kept: an adapter more is a line here. */
import { type EventBusAdapter, memory, type Runtime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { postgres } from '@event-manager/postgres';
import { redis, redisBeside } from '@event-manager/redis';
import type { Configuration } from './configuration/settings.ts';

/** Not opened yet. */
export function pickAdapter(configuration: Configuration, runtime: Runtime): EventBusAdapter {
  const { adapter, dataDir } = configuration;
  if (adapter === 'memory') return memory({ runtime });
  if (adapter === 'journal') return journal({ directory: dataDir, runtime });
  const { redisUrl: url, redisKeyPrefix: keyPrefix } = configuration;
  if (adapter === 'redis') {
    const { databaseDurability: durability, databaseQueryTimeoutMs: commandTimeoutMs } = configuration;
    return redis({ url: url!, keyPrefix, durability, commandTimeoutMs, runtime });
  }
  const database = postgres({
    url: configuration.databaseUrl!,
    maxConnections: configuration.databaseMaxConnections,
    queryTimeoutMs: configuration.databaseQueryTimeoutMs,
    schema: configuration.databaseSchema,
    durability: configuration.databaseDurability,
    runtime,
  });
  return url === undefined ? database : redisBeside(database, { url, keyPrefix, runtime });
}
