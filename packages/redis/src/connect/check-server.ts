import { EventManagerError } from '@event-manager/core';
import { ErrorReply } from 'redis';
import type { RedisClient } from './redis-client.ts';

const SETTING = 'maxmemory-policy';
const NEEDED = 'noeviction';

/**
 * Refuses a server that throws keys away when its memory is full: it was set up as a cache. A bus that is kept there would lose what is
 * owed; where Redis only carries news nothing would be lost, but whoever gave it as part of a bus may come to rely on it as on one.
 * Answers whether the server let us see the setting.
 */
export async function checkServer(client: RedisClient): Promise<'seen' | 'hidden'> {
  const policy = await readPolicy(client);
  if (policy === undefined) return 'hidden';
  if (policy === NEEDED) return 'seen';
  throw new EventManagerError('invalid_setting', `${SETTING} of Redis is ${policy}; it must be ${NEEDED}.`, {
    setting: SETTING,
  });
}

async function readPolicy(client: RedisClient): Promise<string | undefined> {
  try {
    return (await client.configGet(SETTING))[SETTING];
  } catch (error) {
    // A right that we were not given, or a command that the provider removed.
    if (error instanceof ErrorReply) return undefined;
    throw error;
  }
}
