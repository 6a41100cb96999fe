import { onTestFinished } from 'vitest';
import { type ClientOptions, EventManagerClient } from '../../src/index.ts';
import type { SocketStandIn } from './socket-stand-in.ts';

/** A client that ends with the test. */
export function clientOf({ url }: Pick<SocketStandIn, 'url'>, options: ClientOptions = {}): EventManagerClient {
  const client = new EventManagerClient(url, { drainMs: 100, ...options });
  onTestFinished(() => client.close());
  return client;
}
