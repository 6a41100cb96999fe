import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * A browser lets every web page send simple requests to this machine; the page cannot read the answer, but what the request
 * did is done (cross-site request forgery), and an open stream costs. Browsers say where a request comes from: in `Origin`
 * whenever it may change something or reads as another origin, and in `Sec-Fetch-Site`. Other clients send neither.
 */
export function refuseForeignPages(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (!isForeign(request)) {
      done();
      return;
    }
    done(new EventManagerError('invalid_request', 'Without authentication requests of other web pages are refused.'));
  });
}

function isForeign({ headers, host, method }: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) return true;
  // Whoever follows a link to a page of ours only reads.
  return !READING.has(method) && (site === 'cross-site' || site === 'same-site');
}
