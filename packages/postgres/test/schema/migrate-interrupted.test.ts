import { postgres } from '@event-manager/postgres';
import { FaultProxy, SeededChance } from '@event-manager/testing';
import { createTestDatabase } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/schema/migrate.ts';
import { MIGRATIONS } from '../../src/schema/migrations.ts';
import { connect } from '../support/databases.ts';
import { describeSchema } from '../support/describe-schema.ts';
import { amount, printFigures } from '../support/figures.ts';
import { withServer } from '../support/with-server.ts';

const INSTANCES = 4;
const ROUNDS = amount(3, 100);
/** Behind each answer, or before each question as well. */
const PLACES = amount(1, 2);

/** If it were otherwise, a deployment that is interrupted would leave a database that no version can open. */
await withServer((server) => {
  /** Opens, and says what the database then is. */
  async function schemaAfterOpen(url: string): Promise<string[]> {
    const adapter = postgres({ url });
    await adapter.open();
    await adapter.close();
    const client = await connect(url);
    const lines = await describeSchema(client);
    await client.end();
    return lines;
  }

  describe('making the schema', () => {
    it('completes when it is done again, wherever its connection ended', { timeout: 120_000 }, async () => {
      await using whole = await createTestDatabase({ server });
      const expected = await schemaAfterOpen(whole.url);
      let cuts = 0;
      for (let isCut = true; isCut; ) {
        await using database = await createTestDatabase({ server });
        await using proxy = await FaultProxy.start(database.url);
        let left = cuts;
        isCut = false;
        proxy.cutWhen((direction) => {
          if (isCut || (direction === 'up' && PLACES === 1) || left-- > 0) return false;
          isCut = true;
          return true;
        });
        const adapter = postgres({ url: proxy.url, maxConnections: 4 });
        const isOpen = await adapter.open().then(
          () => true,
          () => false,
        );
        if (isOpen) await adapter.close();
        expect(await schemaAfterOpen(database.url)).toEqual(expected);
        if (isCut) cuts++;
      }
      // Every migration is a transaction: its begin, the lock, what there is, the migration, the note of it, its end.
      expect(cuts).toBeGreaterThan(6 * MIGRATIONS.length);
      printFigures('migration cut off', { cuts, migrations: MIGRATIONS.length });
    });

    it(`has one winner among ${INSTANCES} that begin together while connections end`, {
      timeout: 60_000 + 5_000 * ROUNDS,
    }, async () => {
      await using whole = await createTestDatabase({ server });
      const expected = await schemaAfterOpen(whole.url);
      const chance = new SeededChance(3);
      let reopened = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await using database = await createTestDatabase({ server });
        await using proxy = await FaultProxy.start(database.url);
        proxy.cutWhen(() => chance.happens(0.02));
        const openUntilOpen = async () => {
          for (;;) {
            const adapter = postgres({ url: proxy.url, maxConnections: 4 });
            try {
              await adapter.open();
              return adapter;
            } catch (error) {
              expect(error).toMatchObject({ code: 'store_unavailable' });
              reopened++;
            }
          }
        };
        const adapters = await Promise.all(Array.from({ length: INSTANCES }, openUntilOpen));
        proxy.heal();
        const client = await connect(database.url);
        expect(await describeSchema(client)).toEqual(expected);
        const { rows } = await client.query('SELECT version FROM schema_migrations ORDER BY version');
        expect(rows).toEqual(MIGRATIONS.map(({ version }) => ({ version })));
        await client.end();
        for (const adapter of adapters) await adapter.close();
      }
      expect(reopened).toBeGreaterThan(0);
      printFigures('migrations at once', { rounds: ROUNDS, instances: INSTANCES, reopened });
    });
  });

  it('goes on from every older version', async () => {
    await using whole = await createTestDatabase({ server });
    const expected = await schemaAfterOpen(whole.url);
    for (let version = 1; version < MIGRATIONS.length; version++) {
      await using database = await createTestDatabase({ server });
      const client = await connect(database.url);
      await migrate(client, 'public', MIGRATIONS.slice(0, version));
      await client.end();
      expect(await schemaAfterOpen(database.url)).toEqual(expected);
    }
  });

  it('refuses a newer version and writes nothing', async () => {
    await using database = await createTestDatabase({ server });
    await schemaAfterOpen(database.url);
    const client = await connect(database.url);
    const newest = { version: MIGRATIONS.length + 1, name: 'newer', sql: 'CREATE TABLE %schema%.newer (n int)' };
    await migrate(client, 'public', [...MIGRATIONS, newest]).catch(() => {});
    await client.query(`INSERT INTO schema_migrations VALUES ($1, 'newer', 'x') ON CONFLICT DO NOTHING`, [
      newest.version,
    ]);
    const before = await describeSchema(client);
    // Which transaction wrote each row. The counter of the server says more than that: others write there, too.
    const tables = ['schema_migrations', 'log_head', 'store_standing', 'log_cleaning', 'event_partitions'];
    const written = () =>
      Promise.all(
        tables.map(async (table) => (await client.query(`SELECT xmin, ctid FROM ${table} ORDER BY ctid`)).rows),
      );
    const rows = await written();
    await expect(postgres({ url: database.url }).open()).rejects.toMatchObject({ code: 'unsupported_format' });
    expect(await written()).toEqual(rows);
    expect(await describeSchema(client)).toEqual(before);
    await client.end();
  });
});
