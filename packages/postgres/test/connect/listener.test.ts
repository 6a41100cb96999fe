import { type EventBusAdapter, EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import { sampleEvent } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';
import { Databases } from '../support/databases.ts';
import { printFigures } from '../support/figures.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

const EVENTS = 10;
const DELIVERED_MS_MAX = 1_000;
const QUERY_TIMEOUT_MS = 1_000;
/** Asked every five seconds, and the answer is waited for as long as for any. */
const NOTICED_MS_MAX = 5_000 + QUERY_TIMEOUT_MS + 1_000;

const DEATHS: readonly [string, (proxy: FaultProxy) => void][] = [
  ['in a network that swallows everything', (proxy) => proxy.set({ blackHole: true })],
  ['because something on the way forgot it', (proxy) => proxy.vanish('server')],
];

await withServer((server) => {
  const databases = new Databases(server);

  it('begins anew with a hint when its connection ends, and does not hear its own process', async () => {
    await using database = await databases.create();
    await using proxy = await FaultProxy.start(database.url);
    const adapter = postgres({ url: proxy.url, maxConnections: 4 });
    const other = postgres({ url: database.url, maxConnections: 4 });
    await adapter.open();
    await other.open();
    let hints = 0;
    adapter.watch(() => hints++);
    await until('it listens', () => hints === 1);
    proxy.reset();
    await until('it listens again', () => hints === 2);
    await other.store.append([sampleEvent(1)]);
    await until('the other is heard', () => hints === 3);
    await adapter.store.append([sampleEvent(2)]);
    await other.store.append([sampleEvent(3)]);
    await until('the other is heard again', () => hints === 4);
    await adapter.close();
    await other.close();
  });

  /** If hints were trusted, an event of another process would wait until somebody noticed that nobody listens. */
  describe('a connection for hints that is dead without a word', () => {
    it.each(DEATHS)('%s: events of others come within a second, and it begins anew', async (death, die) => {
      await using database = await databases.create();
      await using proxy = await FaultProxy.start(database.url);
      const listening = postgres({ url: proxy.url, maxConnections: 4, queryTimeoutMs: QUERY_TIMEOUT_MS });
      await listening.open();
      // Everything but the hints goes another way, which works: so it is when a connection dies of having nothing to say.
      const direct = postgres({ url: database.url, maxConnections: 4 });
      const events = new EventManager({ adapter: hearingBy(listening, direct) });
      const publisher = new EventManager({ adapter: postgres({ url: database.url, maxConnections: 4 }) });
      const publishedMs = new Map<string, number>();
      const tookMs: number[] = [];
      const handler = ({ id }: { id: string }) => void tookMs.push(performance.now() - publishedMs.get(id)!);
      await events.subscribe({ topic: '#', name: 'n', handler });
      await until('it listens', () => listening.health().facts['listening'] === true);

      die(proxy);
      const diedMs = performance.now();
      for (let n = 0; n < EVENTS; n++) {
        const id = `00000000-0000-4000-8000-00000000000${n}`;
        publishedMs.set(id, performance.now());
        await publisher.publish({ id, type: 'a.b', source: 'test' });
        await until('it is delivered', () => tookMs.length === n + 1);
      }
      await until('the death is noticed', () => listening.health().facts['listening'] === false);
      const noticedMs = performance.now() - diedMs;
      proxy.heal();
      await until('it listens again', () => listening.health().facts['listening'] === true);

      const slowestMs = Math.round(Math.max(...tookMs));
      printFigures('silent death of the connection for hints', { death, slowestMs, noticedMs: Math.round(noticedMs) });
      expect(slowestMs).toBeLessThanOrEqual(DELIVERED_MS_MAX);
      expect(noticedMs).toBeLessThanOrEqual(NOTICED_MS_MAX);
      await events.close();
      await publisher.close();
      await listening.close();
    });
  });
});

function hearingBy(listening: EventBusAdapter, adapter: EventBusAdapter): EventBusAdapter {
  const { name, supports, store, state } = adapter;
  return {
    name,
    supports,
    store,
    state,
    open: () => adapter.open(),
    close: () => adapter.close(),
    health: () => adapter.health(),
    watch: (onHint) => listening.watch(onHint),
  };
}
