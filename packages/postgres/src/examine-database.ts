import { systemRuntime } from '@event-manager/core';
import { Connections } from './connect/connections.ts';
import { servingClient } from './connect/serving-client.ts';
import type { PostgresOptions } from './postgres.ts';
import { checkServer } from './schema/check-server.ts';

export interface DatabaseFacts {
  /** Of the server, for people. */
  readonly version: string;
  /** How many clients it serves at once, and how many it has now. */
  readonly connectionsMax: number;
  readonly connections: number;
  /** The schema is there; otherwise the first start makes it. */
  readonly isMade: boolean;
}

const FACTS = `
  SELECT current_setting('server_version') AS version, current_setting('max_connections')::int AS "connectionsMax",
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    to_regclass(quote_ident($1) || '.schema_migrations') IS NOT NULL AS "isMade"`;

/** Looks at a database as an adapter with these options would find it, and changes nothing. Throws what `open` would throw. */
export async function examineDatabase(options: PostgresOptions): Promise<DatabaseFacts> {
  const { url, queryTimeoutMs = 5_000, schema = 'public', durability = 'synced', runtime = systemRuntime } = options;
  const connections = new Connections({ url, maxConnections: 1, queryTimeoutMs, runtime });
  try {
    const { client, answer } = await servingClient(connections, { timeoutMs: queryTimeoutMs }, async (asked) => {
      await checkServer(asked, durability);
      return (await asked.query(FACTS, [schema])).rows[0] as DatabaseFacts;
    });
    await client.end().catch(() => {});
    return answer;
  } finally {
    await connections.close();
  }
}
