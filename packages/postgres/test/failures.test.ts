import type { EventBusAdapter } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { sampleEvent, sampleEvents } from '@event-manager/testing/conformance';
import { afterAll, describe, expect, it } from 'vitest';
import { CutProxy } from './support/cut-proxy.ts';
import { connect, Databases } from './support/databases.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);
  afterAll(() => databases.close());

  /** One adapter behind a way that can be cut. */
  async function onProxy(test: (adapter: EventBusAdapter, proxy: CutProxy, url: string) => Promise<void>) {
    const name = await databases.create();
    const proxy = await CutProxy.start(server.port);
    const adapter = postgres({ url: proxy.url(server.url(name)), maxConnections: 4 });
    await adapter.open();
    await test(adapter, proxy, server.url(name));
    await adapter.close();
    await proxy.cut();
    await databases.drop(name);
  }

  describe('connections that end without a goodbye', () => {
    it('lose no append and double none, wherever they end', () =>
      onProxy(async (adapter, proxy) => {
        const answers = [];
        for (let n = 0; n < 100; n++) {
          const append = adapter.store.append(sampleEvents(3, 3 * n));
          await turns(n % 13);
          proxy.sever();
          answers.push(...(await append));
        }
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 'stored'));
        const { records } = await adapter.store.read(0, 0, { limit: 1000, bytesMax: 1e9 });
        expect(records.map(({ place }) => place.position)).toEqual(answers.map(({ place }) => place.position));
      }));

    it('let a commit take effect once, with the answer that it had', () =>
      onProxy(async (adapter, proxy) => {
        let revision = 0;
        for (let n = 1; n <= 50; n++) {
          const commit = adapter.state.commit([{ kind: 'topic', key: 'a', value: n, ifRevision: revision }]);
          await turns(n % 13);
          proxy.sever();
          const next = await commit;
          expect(next).toBe(revision + 1);
          revision = next;
        }
        expect(await adapter.state.get('topic', ['a'])).toEqual([{ key: 'a', value: 50, revision }]);
      }));

    it('are not missed by whoever waits for hints', () =>
      onProxy(async (adapter, proxy, url) => {
        let hints = 0;
        adapter.watch(() => hints++);
        await until(() => hints === 1);
        proxy.sever();
        await until(() => hints === 2);
        const other = postgres({ url });
        await other.open();
        await other.store.append([sampleEvent(1)]);
        await until(() => hints === 3);
        await adapter.store.append([sampleEvent(2)]);
        await other.store.append([sampleEvent(3)]);
        await until(() => hints === 4);
        await other.close();
      }));
  });

  it('says store_unavailable while nobody can be reached, and goes on when somebody can', async () => {
    const name = await databases.create();
    const proxy = await CutProxy.start(server.port);
    const url = proxy.url(server.url(name));
    const adapter = postgres({ url, queryTimeoutMs: 300 });
    await adapter.open();
    await proxy.cut();
    const unavailable = { code: 'store_unavailable', retryable: true, details: { retryAfterMs: 1000 } };
    await expect(adapter.store.append([sampleEvent(1)])).rejects.toMatchObject(unavailable);
    await expect(adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }])).rejects.toMatchObject(unavailable);
    await expect(adapter.store.bounds()).rejects.toMatchObject(unavailable);
    expect(adapter.health().facts['lastError']).toBe('store_unavailable');
    await expect(postgres({ url, queryTimeoutMs: 300 }).open()).rejects.toMatchObject({ code: 'store_unavailable' });
    await adapter.close();
    await databases.drop(name);
  });

  it('waits for no answer longer than it said, and goes on over other connections', async () => {
    const name = await databases.create();
    const proxy = await CutProxy.start(server.port);
    const adapter = postgres({ url: proxy.url(server.url(name)), maxConnections: 4, queryTimeoutMs: 1_000 });
    await adapter.open();
    await adapter.store.append([sampleEvent(1)]);
    proxy.swallow();
    const askedAtMs = performance.now();
    await expect(adapter.store.append([sampleEvent(2)])).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(performance.now() - askedAtMs).toBeLessThan(3_000);
    expect((await adapter.store.append([sampleEvent(3)]))[0]!.status).toBe('stored');
    await adapter.close();
    await proxy.cut();
    await databases.drop(name);
  });

  it('tells a server that only reads from one that failed', async () => {
    const name = await databases.create();
    const adapter = postgres({ url: server.url(name), queryTimeoutMs: 200 });
    await adapter.open();
    const client = await connect(server.url(name));
    await client.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()`,
      [name],
    );
    await expect(adapter.store.append([sampleEvent(1)])).rejects.toMatchObject({
      code: 'store_unavailable',
      details: { sqlState: '25006' },
    });
    expect((await adapter.store.bounds())[0]!.head).toBe(0);
    await client.query('SET default_transaction_read_only = off');
    await client.query('DROP FUNCTION trim_log');
    await expect(adapter.store.trim([{ partition: 0, position: 1 }])).rejects.toMatchObject({
      code: 'store_failed',
      details: { sqlState: '42883' },
    });
    await client.end();
    await adapter.close();
    await databases.drop(name);
  });

  it('waits for a server that crashes and comes back, and finds what was acknowledged', async () => {
    const name = await databases.create();
    const adapter = postgres({ url: server.url(name), queryTimeoutMs: 20_000 });
    await adapter.open();
    const before = await adapter.store.append(sampleEvents(10));
    await server.crash();
    const during = adapter.store.append(sampleEvents(10, 10));
    await server.restart();
    await during;
    const { records } = await adapter.store.read(0, 0, { limit: 100, bytesMax: 1e9 });
    expect(before).toHaveLength(10);
    expect(records).toHaveLength(20);
    await adapter.close();
  });
});

/** So many turns of the event loop: somewhere on the way to the server and back. */
async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > endMs) throw new RangeError('What the test waits for did not come.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
