import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { Databases } from './support/databases.ts';
import { until } from './support/until.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);

  describe('two processes on one database', () => {
    it('deliver in one what was published in the other, and only there', async () => {
      await using database = await databases.create();
      const { url } = database;
      const [one, two] = [0, 1].map(() => new EventManager({ adapter: postgres({ url, maxConnections: 4 }) }));
      const received: string[] = [];
      await two!.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void received.push(id) });
      const published: string[] = [];
      for (let n = 0; n < 20; n++) published.push((await one!.publish({ type: 'a.b', source: 'test' })).id);
      await until('everything is delivered', () => received.length >= 20);
      expect(received).toEqual(published);
      await one!.close();
      await two!.close();
    });

    it('take over from one that died when its lease has run out', async () => {
      await using database = await databases.create();
      await using proxy = await FaultProxy.start(database.url);
      const dying = new EventManager({ adapter: postgres({ url: proxy.url, maxConnections: 4 }) });
      const other = new EventManager({ adapter: postgres({ url: database.url, maxConnections: 4 }) });
      const here: string[] = [];
      const there: string[] = [];
      await dying.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void here.push(id) });
      await other.publish({ type: 'a.b', source: 'test' });
      await until('one of them delivers', () => here.length === 1);
      await other.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void there.push(id) });

      await proxy.close();
      const diedAtMs = performance.now();
      const { id } = await other.publish({ type: 'a.b', source: 'test' });
      await until('the other delivers', () => there.includes(id));
      expect(performance.now() - diedAtMs).toBeLessThan(12_000);
      await dying.close().catch(() => {});
      await other.close();
    });
  });
});
