import type { Connections } from './connections.ts';
import type { PartingClient } from './parting-client.ts';
import { storeError } from './store-error.ts';

export interface ServingClient<T> {
  /** Connected. Whoever asked ends it. */
  readonly client: PartingClient;
  readonly answer: T;
}

/**
 * A connection beside the pool to the first of the hosts that serves: one that takes connections, and on which `ask` does not
 * fail because it is away or takes no writes. It is its turn from then on.
 */
export async function servingClient<T>(
  connections: Connections,
  limits: { timeoutMs: number | undefined },
  ask: (client: PartingClient) => Promise<T>,
): Promise<ServingClient<T>> {
  const { hosts } = connections;
  for (let left = hosts.count - 1; ; left--) {
    const { turn } = hosts;
    const client = connections.single(limits);
    try {
      await client.connect();
      return { client, answer: await ask(client) };
    } catch (error) {
      await client.end().catch(() => {});
      const known = storeError(error);
      if (left === 0 || known.code !== 'store_unavailable') throw known;
      hosts.passOver(turn);
    }
  }
}
