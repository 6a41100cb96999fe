import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AllowedOrigins, isForeignOrigin } from './allow-origins.ts';

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * A browser lets every web page send simple requests to this machine; the page cannot read the answer, but what the request
 * did is done (cross-site request forgery), and an open stream costs. Browsers say where a request comes from: in `Origin`
 * whenever it may change something or reads as another origin, and in `Sec-Fetch-Site`. Other clients send neither.
 */
export function refuseForeignPages(app: FastifyInstance, configuration: AllowedOrigins): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (!isForeign(request, configuration.allowedOrigins)) {
      done();
      return;
    }
    done(new EventManagerError('invalid_request', 'Without authentication requests of other web pages are refused.'));
  });
}

function isForeign({ headers, host, method }: FastifyRequest, allowedOrigins: readonly string[]): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (isForeignOrigin(origin, host, allowedOrigins)) return true;
  // A listed page is of another site by its nature.
  if (origin !== undefined && allowedOrigins.includes(origin)) return false;
  // Whoever follows a link to a page of ours only reads.
  return !READING.has(method) && (site === 'cross-site' || site === 'same-site');
}
