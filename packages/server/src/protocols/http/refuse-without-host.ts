import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';

/** A request of HTTP/1.1 names its host; what does not was not written by a client of HTTP (RFC 9112, section 3.2). */
export function refuseWithoutHost(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.host !== undefined) {
      done();
      return;
    }
    reply.header('connection', 'close');
    done(new EventManagerError('invalid_request', 'A request needs a host header (RFC 9112, section 3.2).'));
  });
}
