/** The one place that picks where events are kept: an adapter more is a line here. */
import { type EventBusAdapter, memory, type Runtime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { postgres } from '@event-manager/postgres';
import type { Configuration } from './configuration/settings.ts';

/** Not opened yet. */
export function pickAdapter(configuration: Configuration, runtime: Runtime): EventBusAdapter {
  const { adapter, dataDir } = configuration;
  if (adapter === 'memory') return memory({ runtime });
  if (adapter === 'journal') return journal({ directory: dataDir, runtime });
  return postgres({
    url: configuration.databaseUrl!,
    maxConnections: configuration.databaseMaxConnections,
    queryTimeoutMs: configuration.databaseQueryTimeoutMs,
    schema: configuration.databaseSchema,
    durability: configuration.databaseDurability,
    runtime,
  });
}
