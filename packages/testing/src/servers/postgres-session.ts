import { Client, escapeIdentifier } from 'pg';

const CONNECT_MS = 5_000;

/** One statement on a connection of its own: tests ask too seldom to keep one open, and an open one would keep a run alive. */
export async function askPostgres(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  // A server that a test ends also ends this connection; the statement fails then, which is enough.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => {});
  }
}

export async function postgresAnswers(url: string): Promise<boolean> {
  return askPostgres(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

export function quoteName(name: string): string {
  return escapeIdentifier(name);
}
