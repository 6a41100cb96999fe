import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance, HTTPMethods } from 'fastify';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers 405 with `Allow` for every method that an address does not have (RFC 9110, section 15.5.6); the router by itself
 * would say 404. To be made before the routes; `declare` after them.
 */
export function refuseMethods(app: FastifyInstance): { declare(): void } {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ method, url }) => {
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return {
    declare() {
      for (const [url, methods] of [...known]) {
        const allow = [...methods].sort().join(', ');
        const refused = METHODS.filter((method) => !methods.has(method));
        app.route({
          method: refused,
          url,
          onRequest: (_request, reply, done) => {
            reply.header('allow', allow);
            done(new EventManagerError('method_not_allowed', `Allowed here: ${allow}.`));
          },
          handler: () => undefined,
        });
      }
    },
  };
}
