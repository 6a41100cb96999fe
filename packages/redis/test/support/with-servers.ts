import { sharedServer } from '@event-manager/testing/servers';
import { describe, it } from 'vitest';

/** Defines tests on the servers of the run; without both they are skipped, and say why. */
export async function withServers(
  tests: (database: { readonly url: string }, redis: { readonly url: string }) => void | Promise<void>,
): Promise<void> {
  const database = await sharedServer('postgres');
  const redis = await sharedServer('redis');
  if ('missing' in database) skip(database.missing);
  else if ('missing' in redis) skip(redis.missing);
  else await tests(database, redis);
}

function skip(reason: string): void {
  describe('Redis beside PostgreSQL', () => it('is tested', (context) => context.skip(reason)));
}
