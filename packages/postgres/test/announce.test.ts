import type { EventBusAdapter } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { sampleEvent } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';
import { Databases } from './support/databases.ts';
import { until } from './support/until.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);

  describe('changes of which somebody else tells the others', () => {
    it('are announced once each when they are durable, and not by the server', async () => {
      await using database = await databases.create();
      const { url } = database;
      const told: string[] = [];
      let isHeardByAll = true;
      const quiet = postgres({ url, maxConnections: 4 });
      quiet.announceBy?.({ isHeardByAll: () => isHeardByAll, announce: () => told.push('changed') });
      const other = postgres({ url, maxConnections: 4 });
      await quiet.open();
      await other.open();
      let hints = 0;
      other.watch(() => hints++);
      await until('it listens', () => hints === 1);

      await quiet.store.append([sampleEvent(1)]);
      await quiet.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
      expect(told).toEqual(['changed', 'changed']);
      // Nothing new, and nothing that concerns others.
      await quiet.store.append([sampleEvent(1)]);
      await quiet.state.commit([{ kind: 'progress', key: 'a', value: 1 }]);
      expect(told).toHaveLength(2);

      expect(hints).toBe(1);
      isHeardByAll = false;
      await quiet.store.append([sampleEvent(2)]);
      await until('the append is announced', () => hints === 2);
      await quiet.state.commit([{ kind: 'topic', key: 'a', value: 2 }]);
      await until('the commit is announced', () => hints === 3);
      expect(told).toHaveLength(2);
      expect(hints).toBe(3);
      await closeAll(quiet, other);
    });
  });
});

async function closeAll(...adapters: readonly EventBusAdapter[]): Promise<void> {
  for (const adapter of adapters) await adapter.close();
}
