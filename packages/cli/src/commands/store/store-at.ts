import { isEventManagerError, type MovableAdapter } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { postgres } from '@event-manager/postgres';
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
  if (!URL.canParse(place)) throw new CommandFailure('wrongUse', 'The url of the database cannot be read.');
  const { host, pathname } = new URL(place);
  const options = { url: place, maxConnections: MAX_CONNECTIONS, queryTimeoutMs: QUERY_TIMEOUT_MS };
  const adapter = postgres(schema === undefined ? options : { ...options, schema });
  return { adapter, name: `postgresql://${host}${pathname}` };
}

/** Which of two places a failure is about, and what can be done. The error itself stays what it was. */
export function adviceFor(error: unknown, from: string, to: string): string | undefined {
  if (isEventManagerError(error, 'store_moved')) return `To use ${from} again: event-manager store reopen ${from}`;
  if (isEventManagerError(error, 'store_not_empty')) return `Choose another place than ${to}, or remove what is there.`;
  if (isEventManagerError(error, 'store_locked')) return 'Stop the service that uses it first.';
  return undefined;
}
