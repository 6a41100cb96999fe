import { createClient } from 'redis';
import type { RedisAddress } from './read-url.ts';

export type RedisClient = ReturnType<typeof makeClient>;

/**
 * A client for one connection. The driver would come back by itself, but with what was asked meanwhile in a queue that grows;
 * here whoever uses it makes a new one instead, and what was asked of the old one has failed.
 *
 * RESP 3, so that one connection both speaks and hears: that it answers shows that it hears.
 */
export function makeClient(address: RedisAddress, connectMs: number) {
  const { host, port, tls, username, password, database } = address;
  return createClient({
    RESP: 3,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    name: 'event-manager',
    socket: { host, port, connectTimeout: connectMs, reconnectStrategy: false, ...(tls ? { tls } : {}) },
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // By default each command would have a timer of its own.
    commandOptions: { timeout: 0 },
  });
}
