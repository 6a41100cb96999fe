import { expect, it, onTestFinished } from 'vitest';
import { httpServer } from '../../examples/task-manager/http/http-server.ts';

it('lets nobody hold a connection by a request that never ends', async () => {
  const app = httpServer(() => {});
  onTestFinished(() => app.close());
  await app.ready();
  // Zero, as the framework has it, is for ever.
  expect(app.server.requestTimeout).toBe(30_000);
  expect(app.server.headersTimeout).toBeGreaterThan(0);
});
