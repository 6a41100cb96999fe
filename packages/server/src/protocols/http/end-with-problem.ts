import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EventManagerError } from '@event-manager/core';
import { PROBLEM_TYPE, problemOf, retryAfterSeconds } from './problem.ts';

/** Answers on a bare socket, where there is no response to write to, and closes it. `status` beats that of the error. */
export function endWithProblem(socket: Duplex, error: EventManagerError, status?: number): void {
  const problem = problemOf(error, 'none');
  const code = status ?? problem.status;
  const body = JSON.stringify({ ...problem, status: code });
  const retryAfter = retryAfterSeconds(error);
  const head = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code]}`,
    'connection: close',
    ...(retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`]),
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
