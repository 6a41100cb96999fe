import { isEventManagerError } from '@event-manager/core';

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'The port is in use by another program; choose another with --port or EVENT_MANAGER_PORT.',
  EACCES: 'The port or the data directory may not be used by this user.',
  EADDRNOTAVAIL: 'The host of EVENT_MANAGER_HOST is no address of this machine.',
  ENOTFOUND: 'The host of EVENT_MANAGER_HOST cannot be resolved.',
};

/** One sentence for the person at the terminal: why it did not start, and what to do. */
export function startFailure(error: unknown): string {
  if (isEventManagerError(error)) return `${error.message} [${error.code}]`;
  const { code, message } = error as { code?: string; message?: string };
  return SYSTEM_ERRORS[code ?? ''] ?? `It failed: ${message ?? String(error)}`;
}
