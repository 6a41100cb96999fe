import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { afterAll, describe, expect, it } from 'vitest';
import { CutProxy } from './support/cut-proxy.ts';
import { Databases } from './support/databases.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);
  afterAll(() => databases.close());

  describe('two processes on one database', () => {
    it('deliver in one what was published in the other, and only there', async () => {
      const url = server.url(await databases.create());
      const [one, two] = [0, 1].map(() => new EventManager({ adapter: postgres({ url, maxConnections: 4 }) }));
      const received: string[] = [];
      await two!.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void received.push(id) });
      const published: string[] = [];
      for (let n = 0; n < 20; n++) published.push((await one!.publish({ type: 'a.b', source: 'test' })).id);
      await until(() => received.length >= 20, 20_000);
      expect(received).toEqual(published);
      await one!.close();
      await two!.close();
    });

    it('take over from one that died when its lease has run out', async () => {
      const name = await databases.create();
      const proxy = await CutProxy.start(server.port);
      const dying = new EventManager({ adapter: postgres({ url: proxy.url(server.url(name)), maxConnections: 4 }) });
      const other = new EventManager({ adapter: postgres({ url: server.url(name), maxConnections: 4 }) });
      const here: string[] = [];
      const there: string[] = [];
      await dying.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void here.push(id) });
      await other.publish({ type: 'a.b', source: 'test' });
      await until(() => here.length === 1, 20_000);
      await other.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void there.push(id) });

      await proxy.cut();
      const diedAtMs = performance.now();
      const { id } = await other.publish({ type: 'a.b', source: 'test' });
      await until(() => there.includes(id), 30_000);
      expect(performance.now() - diedAtMs).toBeLessThan(12_000);
      await dying.close().catch(() => {});
      await other.close();
    });
  });
});

async function until(condition: () => boolean, atMostMs: number): Promise<void> {
  const endMs = Date.now() + atMostMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new RangeError('What the test waits for did not come.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
