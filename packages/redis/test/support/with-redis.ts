import { type PrivateServer, ServerError, sharedServer, startRedis } from '@event-manager/testing/servers';
import { afterAll, describe, it } from 'vitest';

/** Defines tests on the Redis of the run; without one they are skipped, and say why. */
export async function withRedis(tests: (server: { readonly url: string }) => void): Promise<void> {
  const server = await sharedServer('redis');
  if ('missing' in server) skip(server.missing);
  else tests(server);
}

/** Defines tests on a server that lives as long as the file and that they may end, empty or set otherwise. */
export async function withPrivateRedis(
  tests: (server: PrivateServer) => void,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const shared = await sharedServer('redis');
  if ('missing' in shared) return skip(shared.missing);
  // Where the run was given the url of a server there may be none that we could start.
  const server = await startRedis({ settings }).catch((error: unknown) => {
    if (error instanceof ServerError && !process.env['CI']) return error;
    throw error;
  });
  if (server instanceof ServerError) return skip(server.message);
  afterAll(() => server.close());
  tests(server);
}

function skip(reason: string): void {
  describe('the Redis adapter', () => it('is tested', (context) => context.skip(reason)));
}
