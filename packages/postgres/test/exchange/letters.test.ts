import { setTimeout as pause } from 'node:timers/promises';
import type { JsonValue } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import { exchangeConformance } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import type { Letters } from '../../src/exchange/letters.ts';
import { Databases } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);
  exchangeConformance({
    name: 'PostgreSQL',
    async open() {
      const database = await databases.create();
      const proxy = await FaultProxy.start(database.url);
      const make = async () => {
        const adapter = postgres({ url: proxy.url, maxConnections: 2 });
        await adapter.open();
        return adapter;
      };
      const adapters = [await make(), await make(), await make()] as const;
      let isClosed = false;
      return {
        exchanges: [adapters[0].exchange!, adapters[1].exchange!, adapters[2].exchange!],
        moment: () => pause(5),
        cut: async () => void proxy.reset(),
        async close() {
          if (isClosed) return;
          isClosed = true;
          for (const adapter of adapters) await adapter.close();
          await proxy.close();
          await database.drop();
        },
      };
    },
  });

  /** If it failed, what members did last would be done once more elsewhere after every restart. */
  it('carries what was sent last before the adapter was closed', async () => {
    await using database = await databases.create();
    await using proxy = await FaultProxy.start(database.url);
    const [leaving, staying] = [proxy.url, database.url].map((url) => postgres({ url, maxConnections: 2 }));
    await leaving!.open();
    await staying!.open();
    const received: JsonValue[] = [];
    staying!.exchange!.receive('staying', (letter) => received.push(letter));
    const end = leaving!.exchange!.receive('leaving', () => {});
    await until('letters pass', () => {
      leaving!.exchange!.send('hello', 'staying');
      return received.length > 0;
    });
    proxy.set({ latencyMs: 50 });
    leaving!.exchange!.send('first', 'staying');
    // The first of them is under way.
    await pause(10);
    leaving!.exchange!.send('last', 'staying');
    end();
    await leaving!.close();
    await until('the last one comes', () => received.includes('last'), 2_000);
    expect(received.slice(-2)).toEqual(['first', 'last']);
    await staying!.close();
  });

  it('are not waited for when their connection is silent', async () => {
    await using database = await databases.create();
    await using proxy = await FaultProxy.start(database.url);
    const adapter = postgres({ url: proxy.url, maxConnections: 2 });
    await adapter.open();
    let isListening = false;
    adapter.watch(() => {
      isListening = true;
    });
    adapter.exchange!.receive('alone', () => {});
    await until('it listens', () => isListening);
    proxy.set({ blackHole: true });
    adapter.exchange!.send('last');
    const askedAtMs = performance.now();
    await (adapter.exchange as Letters).close();
    expect(performance.now() - askedAtMs).toBeLessThan(1_500);
    await adapter.close();
  });
});
