import { expect, it } from 'vitest';
import { call, runService } from '../../running-service.ts';

it('leads a browser from the root to the page for people, and nobody else', async () => {
  const { url } = await runService();
  const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  for (const path of ['/', '/?utm=x']) {
    const answer = await call(`${url}${path}`, { headers: { accept }, redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs']);
  }
  const followed = await call(url, { headers: { accept } });
  expect([followed.status, followed.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
  expect(await call(url)).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
  expect(await call(`${url}/nowhere`, { headers: { accept } })).toMatchObject({ status: 404 });
  expect((await call(url, { method: 'POST', headers: { accept } })).status).toBe(404);
});
