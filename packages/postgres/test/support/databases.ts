import { postgres } from '@event-manager/postgres';
import { Client } from 'pg';
import type { PostgresServer } from './postgres-server.ts';

const TEMPLATE = 'event_manager_template';

/**
 * The server's clock as leases see it, for tests that decide when they run out. It stands still unless it is told.
 */
const TURNED_CLOCK = `
  CREATE TABLE test_time (elapsed_ms double precision NOT NULL);
  INSERT INTO test_time VALUES (0);
  CREATE OR REPLACE FUNCTION lease_time() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT timestamptz '2026-01-01' + elapsed_ms * interval '1 millisecond' FROM public.test_time $$;`;

/** Databases on one server, one per test: copies of one that has its schema already. */
export class Databases {
  readonly #server: PostgresServer;
  readonly #clock: 'real' | 'turned';
  #admin: Promise<Client> | undefined;
  #made = 0;

  constructor(server: PostgresServer, clock: 'real' | 'turned' = 'real') {
    this.#server = server;
    this.#clock = clock;
  }

  async create(): Promise<string> {
    const admin = await (this.#admin ??= this.#prepare());
    const name = `test_${process.pid}_${++this.#made}`;
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
    return name;
  }

  async drop(name: string): Promise<void> {
    const admin = await this.#admin!;
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  }

  async close(): Promise<void> {
    await (await this.#admin)?.end();
  }

  async #prepare(): Promise<Client> {
    const admin = await connect(this.#server.url('postgres'));
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
    const url = this.#server.url(TEMPLATE);
    const adapter = postgres({ url });
    await adapter.open();
    await adapter.close();
    if (this.#clock === 'turned') {
      const client = await connect(url);
      await client.query(TURNED_CLOCK);
      await client.end();
    }
    return admin;
  }
}

export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}
