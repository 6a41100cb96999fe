import { isEventManagerError } from '@event-manager/core/portable';
import { CommandFailure } from '../exit-codes.ts';
import { plain } from './plain.ts';

/** Why a command failed: a sentence for people. */
export function failureWords(error: unknown): string {
  if (isEventManagerError(error)) {
    const { pointer, requestId } = error.details;
    const place = typeof pointer === 'string' && pointer !== '' ? ` (at ${pointer})` : '';
    const request = typeof requestId === 'string' ? ` request ${requestId}` : '';
    return plain(`event-manager: ${error.message}${place} [${error.code}${request}]`);
  }
  if (error instanceof CommandFailure || error instanceof TypeError) return `event-manager: ${error.message}`;
  const system = error as NodeJS.ErrnoException;
  if (error instanceof Error && system.syscall !== undefined) return `event-manager: ${error.message}`;
  return `event-manager: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** The same for programs, one line of JSON. */
export function failureJson(error: unknown): string {
  if (isEventManagerError(error)) {
    const { code, message, retryable, details } = error;
    return plain(JSON.stringify({ error: { code, detail: message, retryable, ...details } }));
  }
  const code = error instanceof CommandFailure ? error.ending : 'failed';
  return JSON.stringify({ error: { code, detail: error instanceof Error ? error.message : String(error) } });
}
