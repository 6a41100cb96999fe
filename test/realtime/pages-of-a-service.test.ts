import { join } from 'node:path';
import { EventManagerClient } from '@event-manager/client';
import { EventIntegratedWebSocketManager } from '@event-manager/realtime';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { PageClient } from '../../packages/realtime/test/browser/page-client.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';

/** Pages need not be served where the log is: their server follows a service, and both may go away for a while. */
it('serves pages of a bus that is elsewhere, over a kill of it, and to pages that come from its own socket', async () => {
  const dataDir = join(temporaryDirectory(), 'data');
  let service = await ServiceProcess.start({ dataDir, port: 0 });
  const { url, port } = service;
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const client = new EventManagerClient(url);
  const sockets = new EventIntegratedWebSocketManager({ port: 0, drainMs: 100 });
  onTestFinished(async () => {
    await sockets.close();
    await client.close();
  });
  await sockets.subscribeToEventBus(client);
  const page = await PageClient.open(`ws://127.0.0.1:${sockets.port}/ws`);
  const publish = (type: string) => client.publish({ type, source: 'test' });
  await publish('a');
  await page.until(() => page.types.length === 1);
  await service.stop('SIGKILL');
  service = await ServiceProcess.start({ dataDir, port });
  for (const type of ['b', 'c']) await publish(type);
  await page.until(() => page.types.length === 3);
  expect(page.types).toEqual(['a', 'b', 'c']);
  // One log, one cursor: a page may go on at the service itself.
  const { cursor } = page.ofType('event')[0];
  const own = new PageClient(`${service.url.replace('http', 'ws')}/ws?cursor=${cursor}`, {
    protocols: ['event-manager.page.v1'],
  });
  await own.until(() => own.types.length === 2);
  expect(own.types).toEqual(['b', 'c']);
  expect(Object.keys(own.ofType('event')[0])).toEqual(Object.keys(page.ofType('event')[1]));
});
