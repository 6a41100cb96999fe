import { askPostgres, quoteName } from './postgres-session.ts';
import { randomName } from './random-name.ts';
import { sharedServer } from './run-servers.ts';
import { ServerError } from './server-error.ts';

/** An empty database of a test's own on the server of the run. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Whoever is still connected is cut off. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestDatabaseOptions {
  /** The server to use instead of the one that the run shares. */
  readonly server?: { readonly url: string };
  /** Copies this database of the server instead of making an empty one; nobody may be connected to it meanwhile. */
  readonly template?: string;
}

/**
 * Makes a database on the given server, or else on the one that the run shares. Where that is missing it throws: ask
 * `missingServer` first, and skip the test with what it says.
 */
export async function createTestDatabase({ server, template }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const given = server ?? (await sharedServer('postgres'));
  if ('missing' in given) throw new ServerError(given.missing);
  const name = `test_${randomName()}`;
  const from = template === undefined ? '' : ` TEMPLATE ${quoteName(template)}`;
  await askPostgres(given.url, `CREATE DATABASE ${quoteName(name)}${from}`);
  const drop = () => askPostgres(given.url, `DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
  return { url: databaseUrl(given.url, name), name, drop, [Symbol.asyncDispose]: drop };
}

/** The url of another database of the same server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
