import { postgres } from '@event-manager/postgres';
import { createTestDatabase, databaseUrl, type TestDatabase } from '@event-manager/testing/servers';
import { Client } from 'pg';
import { afterAll } from 'vitest';

/**
 * The server's clock as leases see it, for tests that decide when they run out. It stands still unless it is told.
 */
const TURNED_CLOCK = `
  CREATE TABLE test_time (elapsed_ms double precision NOT NULL);
  INSERT INTO test_time VALUES (0);
  CREATE OR REPLACE FUNCTION lease_time() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT timestamptz '2026-01-01' + elapsed_ms * interval '1 millisecond' FROM public.test_time $$;`;

/** What a copy is made from, and the connection that makes them: hundreds of tests would each open one for it otherwise. */
interface Template {
  readonly database: TestDatabase;
  readonly admin: Client;
}

/** Databases of the tests of one file: copies of one that has its schema already. */
export class Databases {
  readonly #server: { readonly url: string };
  readonly #clock: 'real' | 'turned';
  #template: Promise<Template> | undefined;
  #made = 0;

  constructor(server: { readonly url: string }, clock: 'real' | 'turned' = 'real') {
    this.#server = server;
    this.#clock = clock;
    afterAll(async () => {
      const template = await this.#template;
      await template?.admin.end();
      await template?.database.drop();
    });
  }

  async create(): Promise<TestDatabase> {
    const { admin, database } = await (this.#template ??= this.#makeTemplate());
    const name = `${database.name}_${++this.#made}`;
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${database.name}`);
    const drop = async () => {
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    };
    return { url: databaseUrl(this.#server.url, name), name, drop, [Symbol.asyncDispose]: drop };
  }

  async #makeTemplate(): Promise<Template> {
    const database = await createTestDatabase({ server: this.#server });
    const adapter = postgres({ url: database.url });
    await adapter.open();
    await adapter.close();
    if (this.#clock === 'turned') {
      const client = await connect(database.url);
      await client.query(TURNED_CLOCK);
      await client.end();
    }
    return { database, admin: await connect(this.#server.url) };
  }
}

export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}
