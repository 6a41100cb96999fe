import { METHODS as NODE_METHODS } from 'node:http';
import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance, HTTPMethods } from 'fastify';

/** All that Node can read; a tunnel (CONNECT) is no request for an address of ours. */
const METHODS: readonly HTTPMethods[] = NODE_METHODS.filter((method) => method !== 'CONNECT').sort();

/**
 * Answers 405 with `Allow` for every method that an address does not have (RFC 9110, section 15.5.6); the router by itself
 * would say 404. To be made before the routes; `declare` after them.
 */
export function refuseMethods(app: FastifyInstance): { declare(): void } {
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  const addresses = new Set<string>();
  app.addHook('onRoute', ({ url }) => void addresses.add(url));
  return {
    declare() {
      for (const url of [...addresses]) {
        // Asked for rather than noted: of an address with and without a slash at its end the hook tells only one.
        const methods = METHODS.filter((method) => app.hasRoute({ method, url }));
        const allow = methods.join(', ');
        app.route({
          method: METHODS.filter((method) => !methods.includes(method)),
          url,
          schema: { hide: true },
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
