import { postgres } from '@event-manager/postgres';
import { createTestDatabase } from '@event-manager/testing/servers';
import type { Client } from 'pg';
import { expect, it } from 'vitest';
import { LOCK_CLASS } from '../../src/schema/migrate.ts';
import { MIGRATIONS } from '../../src/schema/migrations.ts';
import { connect } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

await withServer((server) => {
  async function onEmpty(test: (url: string, client: Client) => Promise<void>): Promise<void> {
    await using database = await createTestDatabase({ server });
    const client = await connect(database.url);
    await test(database.url, client);
    await client.end();
  }

  it('makes the schema once when several processes open an empty database together', () =>
    onEmpty(async (url, client) => {
      const adapters = Array.from({ length: 4 }, () => postgres({ url }));
      await Promise.all(adapters.map((adapter) => adapter.open()));
      const { rows } = await client.query('SELECT version, name FROM schema_migrations ORDER BY version');
      expect(rows).toEqual(MIGRATIONS.map(({ version, name }) => ({ version, name })));
      await Promise.all(adapters.map((adapter) => adapter.close()));
    }));

  /** If this failed, of several instances that are started together for the first time all but one would end. */
  it('makes a schema of its own although another first start is in the middle of that', () =>
    onEmpty(async (url, client) => {
      // As the other one does it: `CREATE SCHEMA IF NOT EXISTS` fails on a schema that is being made, so both take a lock.
      await client.query('BEGIN');
      await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, 'own']);
      await client.query('CREATE SCHEMA own');
      const adapters = Array.from({ length: 3 }, () => postgres({ url, schema: 'own', maxConnections: 2 }));
      const opened = Promise.all(adapters.map((adapter) => adapter.open()));
      const waiting = `SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted AND locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      await until('all of them wait', async () => (await client.query(waiting)).rows[0].count === adapters.length);
      await client.query('COMMIT');
      await opened;
      const { rows } = await client.query('SELECT count(*)::int AS count FROM own.schema_migrations');
      expect(rows).toEqual([{ count: MIGRATIONS.length }]);
      await Promise.all(adapters.map((adapter) => adapter.close()));
    }));

  it('goes on where a process that died while migrating left off', () =>
    onEmpty(async (url, client) => {
      await makeSchema(url);
      // As after a crash: the last migration is not there, and nothing of it is.
      await client.query('DROP INDEX idx_events_user, idx_events_project');
      await client.query('CREATE INDEX idx_events_user ON events (user_id)');
      await client.query('CREATE INDEX idx_events_project ON events (project_id)');
      await client.query('DELETE FROM schema_migrations WHERE version = $1', [MIGRATIONS.length]);
      await makeSchema(url);
      const { rows } = await client.query(`SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_events_user'`);
      expect(rows[0].indexdef).toContain('INCLUDE (type)');
    }));

  it('refuses a migration that is not the one it knows, and a version that it does not know', () =>
    onEmpty(async (url, client) => {
      await makeSchema(url);
      const refused = { code: 'unsupported_format' };
      await client.query(`INSERT INTO schema_migrations VALUES ($1, 'newer', 'x')`, [MIGRATIONS.length + 1]);
      await expect(postgres({ url }).open()).rejects.toMatchObject(refused);
      await client.query('DELETE FROM schema_migrations WHERE version = $1', [MIGRATIONS.length + 1]);
      await client.query(`UPDATE schema_migrations SET checksum = 'changed' WHERE version = 1`);
      await expect(postgres({ url }).open()).rejects.toMatchObject(refused);
    }));

  it('keeps several buses in one database, each in its schema', () =>
    onEmpty(async (url) => {
      const [one, two] = ['one', 'two'].map((schema) => postgres({ url, schema }));
      await one!.open();
      await two!.open();
      await one!.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
      expect(await two!.state.get('topic', ['a'])).toEqual([undefined]);
      expect(one!.storeId!()).not.toBe(two!.storeId!());
      await one!.close();
      await two!.close();
    }));
});

/** Opens and closes: afterwards the schema is there. */
async function makeSchema(url: string): Promise<void> {
  const adapter = postgres({ url });
  await adapter.open();
  await adapter.close();
}
