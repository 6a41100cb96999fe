import { type ErrorCode, EventManagerError } from '@event-manager/core';
import { DatabaseError } from 'pg';

/** After so long it is worth trying again: long enough for a restart to have gone on, short enough to be back soon after it. */
const RETRY_AFTER_MS = 1_000;

const READ_ONLY = '25006';

/**
 * States of the server that pass (PostgreSQL, appendix A): lost connections, being shut down or started, too many connections,
 * read-only after a failover, conflicts between transactions, timeouts, memory.
 */
const PASSING = new Set([
  READ_ONLY,
  '40001',
  '40P01',
  '53000',
  '53200',
  '53300',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);
const CONNECTION_CLASS = '08';
const DISK_FULL = '53100';
/** What our own functions raise. */
const OWN: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EM001: ['store_moved', 'What this database kept has moved to another store.'],
  EM002: ['store_incomplete', 'The database is being filled from another store, or that was interrupted.'],
  EM003: ['store_not_empty', 'The database keeps events or records already.'],
};
const DATA_CLASS = '22';

/**
 * Says what a failure means to whoever asked. The text never repeats what the driver said: it may name hosts, files or
 * data. That is kept as the cause, for logs.
 */
export function storeError(error: unknown): EventManagerError {
  if (error instanceof EventManagerError) return error;
  if (error instanceof TypeError || error instanceof RangeError) {
    return new EventManagerError('internal', 'A call of PostgreSQL was made wrongly.', {}, error);
  }
  if (!(error instanceof DatabaseError)) {
    // What is no answer of the server is a failure of the way to it.
    return make('store_unavailable', 'PostgreSQL cannot be reached.', error);
  }
  const code = error.code ?? '';
  const own = OWN[code];
  if (own !== undefined) return new EventManagerError(...own, {}, error);
  if (code === DISK_FULL) return make('disk_full', 'The disk of PostgreSQL is full.', error, code);
  if (PASSING.has(code) || code.startsWith(CONNECTION_CLASS)) {
    return make('store_unavailable', `PostgreSQL cannot do this now (${code}).`, error, code);
  }
  return make('store_failed', `PostgreSQL refused for a reason that nobody foresaw (${code}).`, error, code);
}

/** Every connection is taken or none comes about. */
export function noConnectionInTime(): EventManagerError {
  return make('store_unavailable', 'No connection to PostgreSQL came about in time.', undefined);
}

/** A copy that another server feeds. */
export function noWritesHere(): EventManagerError {
  return make('store_unavailable', 'This PostgreSQL server takes no writes.', undefined, READ_ONLY);
}

/** The server could not read a value that it was given. */
export function isDataError(error: unknown): boolean {
  const sqlState = error instanceof EventManagerError ? error.details['sqlState'] : undefined;
  return typeof sqlState === 'string' && sqlState.startsWith(DATA_CLASS);
}

/** The server gave up a statement, by its time limit or because somebody asked for it. */
export function isCancelled(error: unknown): boolean {
  return error instanceof EventManagerError && error.details['sqlState'] === '57014';
}

/** The driver waits no longer. The server may be busy with it still. */
export function isOverdue(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** Whether the connection that failed so can take the next statement: the server answered, and not that it is going away. */
export function leavesUsable(error: unknown): boolean {
  if (!(error instanceof DatabaseError) || error.severity !== 'ERROR') return false;
  // One that only reads is not the server that it was.
  return error.code !== READ_ONLY && !error.code?.startsWith(CONNECTION_CLASS);
}

function make(code: ErrorCode, message: string, cause: unknown, sqlState?: string): EventManagerError {
  const retry = code === 'store_failed' ? {} : { retryAfterMs: RETRY_AFTER_MS };
  return new EventManagerError(code, message, { ...retry, ...(sqlState ? { sqlState } : {}) }, cause);
}
