import { expect, it, onTestFinished } from 'vitest';
import { httpServer } from '../../examples/task-manager/http/http-server.ts';
import { pageRoutes } from '../../examples/task-manager/http/page-routes.ts';

it('lets nobody hold a connection by a request that never ends', async () => {
  const app = httpServer(() => {});
  onTestFinished(() => app.close());
  await app.ready();
  // Zero, as the framework has it, is for ever.
  expect(app.server.requestTimeout).toBe(30_000);
  expect(app.server.headersTimeout).toBeGreaterThan(0);
});

it('runs no scripts but its own in its page, lets nobody frame it, and answers foreign names nothing', async () => {
  const app = httpServer(() => {});
  pageRoutes(app);
  onTestFinished(() => app.close());
  const { statusCode, headers, body } = await app.inject({ url: '/', headers: { host: 'localhost:3003' } });
  expect([statusCode, headers['x-content-type-options']]).toEqual([200, 'nosniff']);
  const policy = String(headers['content-security-policy']);
  for (const word of ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
    expect(policy).toContain(word);
  expect(policy).not.toContain('unsafe');
  expect(body).not.toMatch(/<script(?![^>]*src=)|\son[a-z]+=|style=/);
  for (const host of ['127.0.0.1:3003', '[::1]:3003']) {
    expect((await app.inject({ url: '/', headers: { host } })).statusCode).toBe(200);
  }
  for (const host of ['evil.example:3003', 'localhost.evil.example']) {
    expect((await app.inject({ url: '/', headers: { host } })).statusCode).toBe(403);
  }
});
