import { METHODS as NODE_METHODS } from 'node:http';
import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance, HTTPMethods } from 'fastify';

/** All that Node can read; a tunnel (CONNECT) is no request for an address of ours. */
const METHODS: readonly HTTPMethods[] = NODE_METHODS.filter((method) => method !== 'CONNECT');

/**
 * Answers 405 with `Allow` for every method that an address does not have (RFC 9110, section 15.5.6); the router by itself
 * would say 404. To be made before the routes; `declare` after them.
 */
export function refuseMethods(app: FastifyInstance): { declare(): void } {
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
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
