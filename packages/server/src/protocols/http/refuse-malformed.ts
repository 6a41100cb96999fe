import type { Socket } from 'node:net';
import { EventManagerError } from '@event-manager/core';
import { PROBLEM_TYPE, problemOf } from './problem.ts';

const STATUS_OF: Readonly<Record<string, readonly [status: number, phrase: string, words: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The headers are larger than headerBytesMax.'],
};
const MALFORMED = [400, 'Bad Request', 'This is not HTTP/1.1 as RFC 9112 writes it.'] as const;

/** Answers what never became a request, and closes: where it ends cannot be known. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, phrase, words] = STATUS_OF[error.code ?? ''] ?? MALFORMED;
  const problem = { ...problemOf(new EventManagerError('invalid_request', words), 'none'), status };
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    'connection: close',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
