import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { EventManagerError } from '@event-manager/core';
import { endWithProblem } from './end-with-problem.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';

const STATUS_OF: Readonly<Record<string, readonly [status: number, words: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than headerBytesMax.'],
};
const MALFORMED = [400, 'This is not HTTP/1.1 as RFC 9112 writes it.'] as const;

/** Answers what never became a request, and closes: where it ends cannot be known. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, words] = STATUS_OF[error.code ?? ''] ?? MALFORMED;
  endWithProblem(socket, new EventManagerError('invalid_request', words), status);
}

/** What Node would answer by itself, with nothing or not at all: an expectation that is not ours, and a wish for a tunnel. */
export function refuseUnusual(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const words = 'Of all expectations only 100-continue is met.';
    const problem = { ...problemOf(new EventManagerError('invalid_request', words), 'none'), status: 417 };
    const body = JSON.stringify(problem);
    const headers = { 'content-type': PROBLEM_TYPE, 'content-length': Buffer.byteLength(body), connection: 'close' };
    response.writeHead(417, headers).end(body);
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    endWithProblem(socket, new EventManagerError('method_not_allowed', 'This service is no proxy.'));
  });
}
