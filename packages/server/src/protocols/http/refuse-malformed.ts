import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { EventManagerError } from '@event-manager/core';
import { PROBLEM_TYPE, type Problem, problemOf } from './problem.ts';

const STATUS_OF: Readonly<Record<string, readonly [status: number, phrase: string, words: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The headers are larger than headerBytesMax.'],
};
const MALFORMED = [400, 'Bad Request', 'This is not HTTP/1.1 as RFC 9112 writes it.'] as const;

/** Answers what never became a request, and closes: where it ends cannot be known. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, phrase, words] = STATUS_OF[error.code ?? ''] ?? MALFORMED;
  endWith(socket, phrase, { ...problemOf(new EventManagerError('invalid_request', words), 'none'), status });
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
    const error = new EventManagerError('method_not_allowed', 'This service is no proxy.');
    endWith(socket, 'Method Not Allowed', problemOf(error, 'none'));
  });
}

function endWith(socket: Duplex, phrase: string, problem: Problem): void {
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${phrase}`,
    'connection: close',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
