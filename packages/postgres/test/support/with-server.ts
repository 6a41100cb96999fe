import {
  type PostgresServerOptions,
  type PrivateServer,
  ServerError,
  sharedServer,
  startPostgres,
} from '@event-manager/testing/servers';
import { afterAll, describe, it } from 'vitest';

/** Defines tests on the server of the run; without one they are skipped, and say why. */
export async function withServer(tests: (server: { readonly url: string }) => void): Promise<void> {
  const server = await sharedServer('postgres');
  if ('missing' in server) skip(server.missing);
  else tests(server);
}

/** Defines tests on a server that lives as long as the file and that they may end, fill or set otherwise. */
export async function withPrivateServer(
  tests: (server: PrivateServer) => void,
  options: PostgresServerOptions = {},
): Promise<void> {
  const shared = await sharedServer('postgres');
  if ('missing' in shared) return skip(shared.missing);
  // Where the run was given the url of a server there may be none that we could start.
  const server = await startPostgres(options).catch((error: unknown) => {
    if (error instanceof ServerError && !process.env['CI']) return error;
    throw error;
  });
  if (server instanceof ServerError) return skip(server.message);
  afterAll(() => server.close());
  tests(server);
}

function skip(reason: string): void {
  describe('the PostgreSQL adapter', () => it('is tested', (context) => context.skip(reason)));
}
