import { isEventManagerError } from '@event-manager/core';

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'The port is in use by another program; choose another with --port or EVENT_MANAGER_PORT.',
  EACCES: 'The port or the data directory may not be used by this user.',
  ENOTDIR: 'The data directory cannot be made: a part of its path is a file. Choose another with --data-dir.',
  EEXIST: 'The data directory cannot be made: a file has its name. Choose another with --data-dir.',
  EROFS: 'The data directory lies on a disk that is read-only. Choose another with --data-dir.',
  ENOSPC: 'The disk of the data directory is full.',
  EADDRNOTAVAIL: 'The host of EVENT_MANAGER_HOST is no address of this machine.',
  ENOTFOUND: 'The host of EVENT_MANAGER_HOST cannot be resolved.',
};

/** One sentence for the person at the terminal: why it did not start, and what to do. */
export function startFailure(error: unknown): string {
  const sentence = systemSentence(error);
  if (sentence !== undefined) return sentence;
  if (isEventManagerError(error)) return `${error.message} [${error.code}]`;
  return `It failed: ${error instanceof Error ? error.message : String(error)}`;
}

/** The error of the operating system says more about a start than those that were made of it. */
function systemSentence(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return SYSTEM_ERRORS[code ?? ''] ?? systemSentence(error.cause);
}
