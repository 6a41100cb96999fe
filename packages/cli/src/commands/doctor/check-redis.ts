import { isEventManagerError } from '@event-manager/core';
import { examineRedis } from '@event-manager/redis';
import type { Finding, Patient } from './check.ts';

/** Nothing where there is none beside the database. */
export async function checkRedis({ configuration }: Patient): Promise<Finding[]> {
  const { adapter, redisUrl: url, redisKeyPrefix: keyPrefix } = configuration;
  if (adapter !== 'postgres' || url === undefined) return [];
  const check = 'redis';
  try {
    const { place, reason, isPolicyHidden } = await examineRedis({ url, keyPrefix });
    if (reason !== undefined) {
      const advice = 'The service starts, and goes on without it; correct EVENT_MANAGER_REDIS_URL, or start it.';
      return [{ check, status: 'warning', detail: `${place}: ${reason}`, advice }];
    }
    if (!isPolicyHidden) return [{ check, status: 'ok', detail: `${place}: it answers` }];
    const advice = 'See to it that it is noeviction.';
    return [{ check, status: 'warning', detail: `${place}: its maxmemory-policy could not be read`, advice }];
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    return [{ check, status: 'failed', detail: error.message, advice: 'The service would not start.' }];
  }
}
