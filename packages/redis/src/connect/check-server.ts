import { EventManagerError } from '@event-manager/core';
import { ErrorReply } from 'redis';
import type { RedisClient } from './redis-client.ts';

const SETTING = 'maxmemory-policy';
const NEEDED = 'noeviction';

/**
 * Refuses a server that throws keys away when its memory is full: it was set up as a cache. Events and what is owed are not
 * kept in Redis today, so nothing would be lost; but who gave this server as part of a bus may rely on it as on one, and
 * would find out only when something was evicted. Answers whether the server let us see the setting.
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
