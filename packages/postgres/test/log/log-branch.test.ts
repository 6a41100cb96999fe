import { postgres } from '@event-manager/postgres';
import { sampleEvent, sampleEvents } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';
import { connect, Databases } from '../support/databases.ts';
import { readAll } from '../support/read-all.ts';
import { withServer } from '../support/with-server.ts';

const ALL = { limit: 100, bytesMax: 1e6 };

await withServer((server) => {
  const databases = new Databases(server);

  /** As after a promotion: the server is on another timeline than the log knows. */
  async function turn(url: string): Promise<void> {
    const client = await connect(url);
    await client.query('UPDATE log_head SET timeline = timeline + 1000');
    await client.end();
  }

  describe('a log that branches', () => {
    it('loses nothing and reports no loss, also twice without an event in between', async () => {
      await using database = await databases.create();
      const adapter = postgres({ url: database.url, maxConnections: 4 });
      const other = postgres({ url: database.url, maxConnections: 4 });
      await adapter.open();
      await other.open();
      const { store } = adapter;
      await store.append(sampleEvents(5));
      await store.read(0, 0, ALL);
      await other.store.read(0, 0, ALL);
      for (let times = 0; times < 2; times++) {
        await turn(database.url);
        const { scannedTo } = await store.read(0, 5, ALL);
        // A reader that stood still on the first branch, and one that is there for the first time.
        expect((await other.store.read(0, 5, ALL)).scannedTo).toBe(scannedTo);
        expect((await store.read(0, scannedTo, ALL)).records).toEqual([]);
      }
      expect((await other.store.bounds())[0]!.events).toBe(5);
      await store.append([sampleEvent(6)]);
      expect((await readAll(other.store)).length).toBe(6);
      expect((await store.bounds())[0]!.events).toBe(6);
      expect([adapter.health().lost, other.health().lost]).toEqual([undefined, undefined]);
      await other.close();
      await adapter.close();
    });

    it('is counted without its gap by a process that did not see it branch', async () => {
      await using database = await databases.create();
      const adapter = postgres({ url: database.url, maxConnections: 4 });
      const other = postgres({ url: database.url, maxConnections: 4 });
      await adapter.open();
      await other.open();
      await adapter.store.append(sampleEvents(5));
      await turn(database.url);
      await adapter.store.append([sampleEvent(6)]);
      expect((await other.store.bounds())[0]!.events).toBe(6);
      await other.close();
      await adapter.close();
    });
  });
});
