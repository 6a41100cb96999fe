import { postgres } from '@event-manager/postgres';
import { Client } from 'pg';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { fillStore } from './fill-store.ts';
import { LARGE_LOG } from './log-sizes.ts';
import { measureQueries } from './measure-queries.ts';
import { withPostgres } from './with-postgres.ts';

/** Pages of a hundred over the large log, on a private PostgreSQL whose data is on the measured disk. */
export function pgQuery(bench: Bench): Promise<Measured> {
  return withPostgres(bench, async (url) => {
    const count = sized(bench, LARGE_LOG);
    process.stderr.write(`  filling a database with ${count.toLocaleString('en-US')} events\n`);
    const startedMs = performance.now();
    const filled = postgres({ url });
    await filled.open();
    await fillStore(filled.store, count);
    await filled.close();
    await settle(url);
    process.stderr.write(`  filled in ${Math.round((performance.now() - startedMs) / 1_000)} s\n`);
    return { ...(await measureQueries(bench, postgres({ url }))), unit: 'ms' };
  });
}

/** What the server does by itself some minutes after a log has grown: statistics and a visibility map. */
async function settle(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('VACUUM ANALYZE');
  await client.query('CHECKPOINT').catch(() => {});
  await client.end();
}
