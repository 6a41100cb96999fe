import { afterAll, describe, it } from 'vitest';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

/** Defines tests on a private server that lives as long as the file; without one they are skipped, and say why. */
export async function withServer(
  tests: (server: PostgresServer) => void,
  settings: readonly string[] = [],
): Promise<void> {
  const server = await startPostgres(settings);
  if (typeof server === 'string') {
    process.stderr.write(`Tests of the PostgreSQL adapter are skipped: ${server}.\n`);
    describe('the PostgreSQL adapter', () => it.skipIf(true)(`is not tested: ${server}`, () => {}));
    return;
  }
  afterAll(() => server.stop());
  tests(server);
}
