import { isEventManagerError } from '@event-manager/core';
import type { Configuration } from './configuration/settings.ts';
import { databaseFailure } from './database/database-failure.ts';

const ANOTHER = 'Choose another with --data-dir or EVENT_MANAGER_DATA_DIR.';
const ANOTHER_PORT = 'choose another with --port or EVENT_MANAGER_PORT.';
const SPACE =
  'The disk of the data directory is full. Make space and start again; nothing that was acknowledged is lost.';

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'The host of EVENT_MANAGER_HOST is no address of this machine.',
  ENOTFOUND: 'The host of EVENT_MANAGER_HOST cannot be resolved.',
  ENOENT: `The data directory cannot be made here, or a file of it is gone. ${ANOTHER}`,
  ENOTDIR: `The data directory cannot be made: a part of its path is a file. ${ANOTHER}`,
  EEXIST: `The data directory cannot be made: a file has its name. ${ANOTHER}`,
  EACCES: `The data directory may not be used by this user. ${ANOTHER}`,
  EPERM: `The data directory may not be used by this user. ${ANOTHER}`,
  EROFS: `The data directory lies on a disk that is read-only. Mount it writable, or choose another with --data-dir.`,
  ENOSPC: SPACE,
  EDQUOT: SPACE,
  EMFILE: 'The process may not open enough files; raise the limit (ulimit -n).',
};

/** One sentence for the person at the terminal: why it did not start, and what to do. `configuration` is known once settings are read. */
export function startFailure(error: unknown, configuration?: Configuration): string {
  // A mistake in the settings names its place; the error of the operating system beneath it says less.
  if (isEventManagerError(error, 'invalid_setting')) return `${error.message} [${error.code}]`;
  const ofDatabase = configuration && databaseFailure(error, configuration);
  if (ofDatabase !== undefined) return ofDatabase;
  const dataDir = configuration?.dataDir;
  if (isEventManagerError(error, 'store_locked')) {
    const directory = dataDir === undefined ? 'the data directory' : `the data directory ${dataDir}`;
    return `Another process has ${directory} open, most likely a service that runs already. End that, or use another directory: --data-dir or EVENT_MANAGER_DATA_DIR. [${error.code}]`;
  }
  const cause = systemError(error);
  if (cause?.code === 'EADDRINUSE') return `${portOf(cause)} is in use by another program; ${ANOTHER_PORT}`;
  if (cause?.syscall === 'listen' && cause.code === 'EACCES') {
    return `${portOf(cause)} may not be used by this user; ${ANOTHER_PORT}`;
  }
  const sentence = SYSTEM_ERRORS[cause?.code ?? ''];
  if (sentence !== undefined) return sentence;
  // A store that stops while it serves recovers by a restart. Here that is what has just failed.
  if (isEventManagerError(error, 'store_failed') && cause !== undefined) {
    return `The data directory cannot be opened: ${cause.message} [${error.code}]`;
  }
  if (isEventManagerError(error)) return `${error.message} [${error.code}]`;
  return `It failed: ${error instanceof Error ? error.message : String(error)}`;
}

/** Node puts the address that it was given on an error of `listen`. */
function portOf(cause: NodeJS.ErrnoException & { readonly port?: number }): string {
  return cause.port === undefined ? 'The port' : `The port ${cause.port}`;
}

/** The error of the operating system says more about a start than those that were made of it. */
function systemError(error: unknown): NodeJS.ErrnoException | undefined {
  if (!(error instanceof Error)) return undefined;
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === undefined ? systemError(error.cause) : error;
}
