import type { RedisOptions } from './read-options.ts';
import { RedisAdapter } from './redis-adapter.ts';

/** Keeps a whole bus in a Redis that several processes share. See the README of this package. */
export function redis(options: RedisOptions = {}): RedisAdapter {
  return new RedisAdapter(options);
}
