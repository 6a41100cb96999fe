import type { Limits } from '@event-manager/core';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { DELIVERY } from './schemas/delivery-document.ts';
import { documentRoute } from './schemas/document-route.ts';
import type { RouteDocument } from './schemas/route-document.ts';
import { components, routeDocuments } from './schemas/route-documents.ts';

const DESCRIPTION =
  'A durable event bus. Fields are understood in camelCase and snake_case; `x-other-spellings` lists what else is understood. ' +
  'An address answers 405 with `Allow` to every other method, and HEAD where it answers GET. An unknown address is 404 `route_not_found`. ' +
  'Every error is `application/problem+json`.';

/** Only what this service serves itself, nothing of other origins; the page must not be framed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Its bar has the sign of the framework and a field for the documents of others. */
const WITHOUT_BAR = { filename: 'page.css', content: '.swagger-ui .topbar { display: none; }' };

/** Shown rather than left out; a test says that no route is. */
const UNDESCRIBED: RouteDocument = { operationId: '', tag: '', summary: 'Not described.', answers: {}, errors: [] };

/**
 * Registers what collects the routes, before they are declared. The documents stand beside the routes and are not their
 * schemas: the framework would validate and serialise by those a second time, on every request.
 */
export function collectRoutes(app: FastifyInstance, limits: Limits): void {
  const documents = routeDocuments(limits);
  app.register(swagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.1',
      info: { title: 'EventManager', version: '1', description: DESCRIPTION, license: { name: 'MIT' } },
      servers: [{ url: '/' }],
      components: { schemas: components(limits) as never },
      webhooks: DELIVERY as never,
    },
    transform({ url, route }) {
      const document = documents[`${[route.method].flat()[0]} ${url}`];
      const schema = route.schema?.hide === true ? route.schema : documentRoute(document ?? UNDESCRIBED);
      return { url, schema: schema as FastifySchema };
    },
  });
}

/** `/openapi.json`, and `/docs` for people. */
export function openApiRoutes(app: FastifyInstance): void {
  app.get('/openapi.json', async () => app.swagger());
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'EventManager', css: [WITHOUT_BAR] },
    uiConfig: { deepLinking: true, docExpansion: 'list' },
  });
}
