import { randomName } from './random-name.ts';
import { removeRedisKeys } from './redis-session.ts';
import { sharedServer } from './run-servers.ts';
import { ServerError } from './server-error.ts';

/** A part of the run's Redis that is a test's own: every key of the test begins with the prefix. */
export interface TestKeys {
  readonly url: string;
  readonly keyPrefix: string;
  /** Removes every key that begins with the prefix. */
  remove(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A test that flushes the server, kills it or changes its settings starts one of its own instead (`startRedis`). */
export async function createTestKeys(): Promise<TestKeys> {
  const server = await sharedServer('redis');
  if ('missing' in server) throw new ServerError(server.missing);
  const keyPrefix = `test:${randomName()}:`;
  const remove = () => removeRedisKeys(server.url, keyPrefix);
  return { url: server.url, keyPrefix, remove, [Symbol.asyncDispose]: remove };
}
