import { isEventManagerError, type MovableAdapter } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { postgres } from '@event-manager/postgres';
import { redis } from '@event-manager/redis';
import { databasePlace, isDatabaseAddress } from '@event-manager/server/configuration';
import { CommandFailure } from '../../exit-codes.ts';

/** A statement writes thousands of events here, and nobody waits for a single one. */
const QUERY_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 4;
/** A script is done in milliseconds; a server that is not there is waited for as long. */
const COMMAND_TIMEOUT_MS = 10_000;

export interface StoreAt {
  readonly adapter: MovableAdapter;
  /** For people: without user and password. */
  readonly name: string;
}

/** What the command line says besides of the places that it names. */
export interface StoreOptions {
  readonly schema?: string;
  readonly keyPrefix?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The store at a place as the command line names it. */
export function storeAt(place: string, { schema, keyPrefix }: StoreOptions, environment: Environment): StoreAt {
  if (/^rediss?:/i.test(place)) return inRedis(place, keyPrefix, environment['REDIS_PASSWORD']);
  if (!/^postgres(ql)?:\/\//i.test(place)) return { adapter: journal({ directory: place }), name: place };
  const options = { url: place, maxConnections: MAX_CONNECTIONS, queryTimeoutMs: QUERY_TIMEOUT_MS };
  if (!isDatabaseAddress(place)) throw new CommandFailure('wrongUse', 'The address of the database cannot be read.');
  const adapter = postgres(schema === undefined ? options : { ...options, schema });
  return { adapter, name: databasePlace(place) };
}

/** The password may come from the environment, where nobody else on the machine reads it. */
function inRedis(place: string, keyPrefix: string | undefined, password: string | undefined): StoreAt {
  const url = URL.parse(place);
  if (url === null) throw new CommandFailure('wrongUse', 'The address of Redis cannot be read.');
  if (url.password === '' && password) url.password = encodeURIComponent(password);
  try {
    const adapter = redis({ url: url.href, keyPrefix, commandTimeoutMs: COMMAND_TIMEOUT_MS });
    return { adapter, name: `redis at ${url.host}${url.pathname.length > 1 ? url.pathname : ''}` };
  } catch (error) {
    throw isEventManagerError(error) ? new CommandFailure('wrongUse', error.message) : error;
  }
}

/** Which of two places a failure is about, and what can be done. The error itself stays what it was. */
export function adviceFor(error: unknown, from: string, to: string): string | undefined {
  if (isEventManagerError(error, 'store_moved')) return `To use ${from} again: event-manager store reopen`;
  if (isEventManagerError(error, 'store_not_empty')) return `Choose another place than ${to}, or remove what is there.`;
  if (isEventManagerError(error, 'store_locked')) return 'Stop the service that uses it first.';
  return isEventManagerError(error) ? REFUSALS[String(error.details['sqlState'])] : undefined;
}

/** By what the server says (PostgreSQL, appendix A). */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'The database refused the user or the password.',
  '28000': 'The database does not let this user in, by its pg_hba.conf.',
  '3D000': 'The database does not exist: make it (createdb), or correct its name.',
  '42501': 'The database does not let this user make its tables: make it the owner, or GRANT CREATE on the schema.',
};
