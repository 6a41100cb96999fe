import { EventManagerError, isForeignHost } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';

export const FOREIGN_HOST =
  'Without authentication only localhost and addresses are answered; behind a proxy that decides who gets in set allowUnauthenticated.';

/** A service on loopback without authentication trusts whoever is on this machine. */
export function refuseForeignHosts(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const target = absoluteTarget(request.originalUrl);
    const isForeign = isForeignHost(request.hostname) || (target !== undefined && isForeignHost(target));
    if (isForeign) done(new EventManagerError('invalid_request', FOREIGN_HOST));
    else done();
  });
}

/** The host of a request that is written as for a proxy; it then counts beside the header (RFC 9112, section 3.2.2). */
function absoluteTarget(url: string): string | undefined {
  return url.startsWith('/') || url === '*' ? undefined : (URL.parse(url)?.hostname ?? '');
}
