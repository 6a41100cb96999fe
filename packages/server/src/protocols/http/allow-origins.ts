import type { FastifyInstance } from 'fastify';

/** How long a browser may remember what it asked before a request: ten minutes, as most of them allow. */
const PREFLIGHT_SECONDS = 600;
const ASKED_BEFORE = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'content-type, accept, last-event-id, idempotency-key',
  'access-control-max-age': PREFLIGHT_SECONDS,
} as const;
const EXPOSED = 'location, link, retry-after, allow';

export interface AllowedOrigins {
  readonly allowedOrigins: readonly string[];
}

/**
 * True when a browser says that the page of another origin asks, and that one is not listed. A list is exact: no suffix, no
 * other port or scheme, no `null`. Whoever sends no `Origin` is no browser that could be used against its user.
 */
export function isForeignOrigin(origin: string | undefined, host: string, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return false;
  return origin !== `http://${host.toLowerCase()}`;
}

/**
 * Lets the pages of listed origins read answers (CORS). The origin is named, never `*`, and no credentials are allowed: there
 * are none. Registered before everything that refuses, so that such a page can read why it was refused. Not a plugin: that
 * answers every OPTIONS by a route of its own, also to origins that are not listed, where we say 405 with `Allow`.
 */
export function allowOrigins(app: FastifyInstance, configuration: AllowedOrigins): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    // Read anew each time: the list may change while the service runs.
    const { allowedOrigins } = configuration;
    if (allowedOrigins.length === 0) {
      done();
      return;
    }
    // Caches must not give one page the answer that was made for another.
    reply.header('vary', 'origin');
    if (origin === undefined || !allowedOrigins.includes(origin)) {
      done();
      return;
    }
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', EXPOSED);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      reply.headers(ASKED_BEFORE).code(204).send();
      return;
    }
    done();
  });
}
