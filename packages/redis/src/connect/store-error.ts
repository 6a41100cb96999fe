import { type ErrorCode, EventManagerError } from '@event-manager/core';
import { ErrorReply } from 'redis';
import { whyAway } from './why-away.ts';

/** After so long it is worth trying again: long enough for a restart to have gone on, short enough to be back soon after it. */
const RETRY_AFTER_MS = 1_000;

/**
 * What the server says while it cannot, but may soon: loading its file, a replica, unable to write its file, busy with a script, without
 * enough replicas, in a cluster that is down.
 */
const PASSING = new Set([
  'LOADING',
  'READONLY',
  'MISCONF',
  'BUSY',
  'NOREPLICAS',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
]);
/** The server does not know us. */
const DENIED = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM']);
const FOREIGN = 'Under a name of this store Redis keeps something that another program wrote.';
/** What our own scripts say of a store that was emptied. */
const GONE = 'GONE';
/** And of one that moves to another place, or has. */
const OF_MOVES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  LEFT: ['store_moved', 'What Redis kept of this store has moved to another store.'],
  HELD: ['store_unavailable', 'The store is being moved to another place.'],
};
/** How the driver, Node and OpenSSL name what is wrong with a certificate or with the encryption as a whole. */
const OF_TLS = /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

/**
 * Says what a failure means to whoever asked. The text never repeats what the driver or the server said: it may name hosts,
 * files or data. That is kept as the cause, for logs.
 */
export function storeError(error: unknown): EventManagerError {
  if (error instanceof EventManagerError) return error;
  if (error instanceof TypeError || error instanceof RangeError) {
    return new EventManagerError('internal', 'A call of Redis was made wrongly.', {}, error);
  }
  if (!(error instanceof ErrorReply)) return unreachable(error);
  const code = codeOf(error.message);
  if (code === GONE) {
    const words = 'What Redis kept of this store is gone: the database was emptied, or the server lost its file.';
    return new EventManagerError('store_failed', words, {}, error);
  }
  const standing = OF_MOVES[code];
  if (standing !== undefined) return make(...standing, error, code);
  if (code === 'OOM') return make('disk_full', 'The memory of Redis is full.', error, code);
  if (code === 'MISCONF' && /No space left/i.test(error.message)) {
    return make('disk_full', 'The disk of Redis is full.', error, code);
  }
  // Said in words alone.
  if (PASSING.has(code) || /max number of clients/i.test(error.message)) {
    return make('store_unavailable', whyAway(error), error, code);
  }
  if (code === 'WRONGTYPE') return make('store_failed', FOREIGN, error, code);
  if (DENIED.has(code)) {
    return new EventManagerError('invalid_setting', whyAway(error), { setting: 'url', redisCode: code }, error);
  }
  return make('store_failed', `Redis refused for a reason that nobody foresaw (${code}).`, error, code);
}

/**
 * The same for what came of connecting: what the server says to user, password, database and protocol is about them, and no reason to
 * give up a store for good.
 */
export function connectError(error: unknown): EventManagerError {
  const known = storeError(error);
  if (known.code !== 'store_failed' || !(error instanceof ErrorReply)) return known;
  const isDatabase = /DB index is out of range/i.test(error.message);
  const words = isDatabase
    ? 'Redis has no database of this number.'
    : 'Redis refuses to be spoken to as it is asked to.';
  return new EventManagerError('invalid_setting', words, { setting: 'url', redisCode: codeOf(error.message) }, error);
}

/** Nobody answered in time. */
export function silent(): EventManagerError {
  return make('store_unavailable', 'Redis does not answer.', undefined);
}

/** A server that cannot be used at the moment, for a reason in words for everybody. */
export function unusable(reason: string): EventManagerError {
  return make('store_unavailable', reason, undefined);
}

function unreachable(error: unknown): EventManagerError {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'string' && OF_TLS.test(code)) {
    const words = `The encryption of Redis is not what it must be (${code}).`;
    return new EventManagerError('invalid_setting', words, { setting: 'tls', tlsCode: code }, error);
  }
  return make('store_unavailable', whyAway(error), error);
}

/** Before Redis 7 a failure inside a script was wrapped in one of the script. */
function codeOf(message: string): string {
  return (
    /^ERR Error running script .*? -([A-Z]{2,20}) /.exec(message)?.[1] ??
    /^[A-Z]{2,20}(?= )/.exec(message)?.[0] ??
    'ERR'
  );
}

function make(code: ErrorCode, message: string, cause: unknown, redisCode?: string): EventManagerError {
  const retry = code === 'store_failed' ? {} : { retryAfterMs: RETRY_AFTER_MS };
  return new EventManagerError(code, message, { ...retry, ...(redisCode ? { redisCode } : {}) }, cause);
}
