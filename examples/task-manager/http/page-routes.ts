import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'board.js': 'text/javascript; charset=utf-8',
  'task-dialog.js': 'text/javascript; charset=utf-8',
  'live-events.js': 'text/javascript; charset=utf-8',
};
/** Nothing but what this server sends, and no scripts in texts of tasks. */
const POLICY =
  "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/** The live page: files as they are, without a build. */
export function pageRoutes(app: FastifyInstance): void {
  for (const [name, type] of Object.entries(TYPES)) {
    const text = readFileSync(join(import.meta.dirname, '../page', name));
    app.get(name === 'index.html' ? '/' : `/${name}`, async (_request, reply) => {
      reply.headers({
        'content-type': type,
        'content-security-policy': POLICY,
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
      });
      return text;
    });
  }
  app.get('/favicon.ico', async (_request, reply) => reply.code(204).send());
}
