import { isEventManagerError } from '@event-manager/core';
import { examineRedis } from '@event-manager/redis';
import type { Finding, Patient } from './check.ts';

const NOT_SYNCED =
  'it answers before a write is on its disk (synced needs appendonly yes and appendfsync always; EVENT_MANAGER_DATABASE_DURABILITY=relaxed takes it as it is)';

/** Nothing where there is none, beside the database or in place of it. */
export async function checkRedis({ configuration }: Patient): Promise<Finding[]> {
  const { adapter, redisUrl: url, redisKeyPrefix: keyPrefix } = configuration;
  if ((adapter !== 'postgres' && adapter !== 'redis') || url === undefined) return [];
  const check = 'redis';
  try {
    const { place, reason, isPolicyHidden, durability } = await examineRedis({ url, keyPrefix });
    if (adapter === 'redis') {
      const refusal = reason ?? (durability === 'relaxed' && isSyncedAsked(configuration) ? NOT_SYNCED : undefined);
      if (refusal !== undefined) {
        return [{ check, status: 'failed', detail: `${place}: ${refusal}`, advice: 'The service would not start.' }];
      }
    } else if (reason !== undefined) {
      const advice = 'The service starts, and goes on without it; correct EVENT_MANAGER_REDIS_URL, or start it.';
      return [{ check, status: 'warning', detail: `${place}: ${reason}`, advice }];
    }
    const kept = adapter === 'redis' ? `, and what it keeps is ${durability}` : '';
    if (!isPolicyHidden) return [{ check, status: 'ok', detail: `${place}: it answers${kept}` }];
    const advice = 'See to it that it is noeviction.';
    return [{ check, status: 'warning', detail: `${place}: its maxmemory-policy could not be read`, advice }];
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    return [{ check, status: 'failed', detail: error.message, advice: 'The service would not start.' }];
  }
}

function isSyncedAsked({ databaseDurability }: Patient['configuration']): boolean {
  return databaseDurability === 'synced';
}
