import { createTestDatabase, ServerError, startPostgres } from '@event-manager/testing/servers';
import type { Bench, Measured } from './benchmark.ts';

/** Measures on a private PostgreSQL whose data is on the measured disk; says `skipped` where there is none. */
export async function withPostgres(bench: Bench, work: (url: string) => Promise<Measured>): Promise<Measured> {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  try {
    server = await startPostgres({ parent: bench.folder });
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return { value: 0, unit: 'events/s', note: `skipped: ${error.message}` };
  }
  try {
    const { url } = await createTestDatabase({ server });
    return await work(url);
  } finally {
    await server.close();
  }
}
