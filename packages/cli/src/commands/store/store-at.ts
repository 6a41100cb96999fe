import { isEventManagerError, type MovableAdapter } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { postgres } from '@event-manager/postgres';
import { databasePlace, isDatabaseAddress } from '@event-manager/server/configuration';
import { CommandFailure } from '../../exit-codes.ts';

/** A statement writes thousands of events here, and nobody waits for a single one. */
const QUERY_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 4;

export interface StoreAt {
  readonly adapter: MovableAdapter;
  /** For people: without user and password. */
  readonly name: string;
}

/** The store at a place as the command line names it. */
export function storeAt(place: string, schema: string | undefined): StoreAt {
  if (!/^postgres(ql)?:\/\//i.test(place)) return { adapter: journal({ directory: place }), name: place };
  const options = { url: place, maxConnections: MAX_CONNECTIONS, queryTimeoutMs: QUERY_TIMEOUT_MS };
  if (!isDatabaseAddress(place)) throw new CommandFailure('wrongUse', 'The address of the database cannot be read.');
  const adapter = postgres(schema === undefined ? options : { ...options, schema });
  return { adapter, name: databasePlace(place) };
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
