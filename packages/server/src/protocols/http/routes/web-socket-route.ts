import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import { WS_PATH } from '../../ws/ws-server.ts';
import { PROBLEM_TYPE, problemOf } from '../problem.ts';

/** Says to an ordinary request that only a WebSocket is of use here (RFC 9110, section 15.5.22). */
export function webSocketRoute(app: FastifyInstance): void {
  app.get(WS_PATH, { schema: { hide: true } }, async (request, reply) => {
    const error = new EventManagerError('invalid_request', 'Open a WebSocket here.');
    const problem = { ...problemOf(error, request.id), status: 426 };
    return reply
      .code(426)
      .headers({ upgrade: 'websocket', connection: 'upgrade', 'content-type': PROBLEM_TYPE })
      .send(JSON.stringify(problem));
  });
}
