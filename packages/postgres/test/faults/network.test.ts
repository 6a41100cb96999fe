import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import { allStored, sampleEvent } from '@event-manager/testing/conformance';
import type { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { connect, Databases } from '../support/databases.ts';
import { amount, printFigures } from '../support/figures.ts';
import { Load } from '../support/load.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

const MAX_CONNECTIONS = 8;
const QUERY_TIMEOUT_MS = 1_000;
const HELD_MS = amount(1_200, 60_000);
/** The event loop of two busy cores. */
const SLACK_MS = 500;
const PAYLOAD_BYTES = 600;

const FAULTS: Readonly<Record<string, (proxy: FaultProxy) => void>> = {
  'every connection reset': (proxy) => proxy.reset(),
  'a black hole': (proxy) => proxy.set({ blackHole: true }),
  'a black hole for answers alone': (proxy) => proxy.set({ blackHole: true }, 'down'),
  'two seconds later': (proxy) => proxy.set({ latencyMs: 2_000 }),
  '16 KB/s': (proxy) => proxy.set({ bytesPerSecond: 16_000 }),
  'pieces of one byte': (proxy) => proxy.set({ sliceBytes: 1 }),
  'every connection half-open': (proxy) => proxy.vanish('server'),
  'nobody takes connections': (proxy) => {
    proxy.refuse(true);
    proxy.reset();
  },
};

await withServer((server) => {
  const databases = new Databases(server);

  /** If one of these were otherwise, a bad network would cost events, connections of the server, or the patience of a client. */
  describe(`a network that misbehaves for ${HELD_MS} ms`, () => {
    it.each(Object.entries(FAULTS))(
      '%s: nothing is lost, no call hangs, no connection is left',
      {
        timeout: 60_000 + 2 * HELD_MS,
      },
      async (fault, strike) => {
        await using database = await databases.create();
        await using proxy = await FaultProxy.start(database.url);
        const adapter = postgres({ url: proxy.url, maxConnections: MAX_CONNECTIONS, queryTimeoutMs: QUERY_TIMEOUT_MS });
        await adapter.open();
        adapter.watch(() => {});
        await using monitor = await Monitor.start(database);
        const load = new Load(adapter, { payloadBytes: PAYLOAD_BYTES });
        await until('events are acknowledged', () => load.acknowledged.size > 100);
        const before = load.acknowledged.size;

        strike(proxy);
        await new Promise((resolve) => setTimeout(resolve, HELD_MS));
        const during = load.acknowledged.size - before;
        proxy.heal();
        const healedMs = performance.now();
        await until('events are acknowledged again', () => load.lastAcknowledgedMs > healedMs);
        const resumedMs = load.lastAcknowledgedMs - healedMs;
        await load.stop();
        // One more waits for hints.
        const connections = () => Number(adapter.health().facts['connections']) + 1;
        await until(
          'the server has the connections that we have',
          async () => (await monitor.count()) === connections(),
        );
        await until('so has the way there', () => proxy.counts.open === connections());
        expect(connections()).toBeLessThanOrEqual(MAX_CONNECTIONS + 1);
        await adapter.close();
        await until('no connection is left', async () => (await monitor.count()) === 0 && proxy.counts.open === 0);

        const reader = postgres({ url: database.url });
        await reader.open();
        const checked = await load.check(reader);
        await reader.close();
        const longestMs = Math.round(load.longestMs);
        const figures = {
          fault,
          ...checked,
          during,
          refused: load.refused,
          longestMs,
          resumedMs: Math.round(resumedMs),
        };
        printFigures('network', figures);
        expect(checked).toMatchObject({ lost: 0, doubles: 0 });
        expect(load.unexpected).toEqual([]);
        expect(longestMs).toBeLessThanOrEqual(QUERY_TIMEOUT_MS + SLACK_MS);
      },
    );
  });

  /**
   * The server acts on the first parts of a statement before the last has come. A connection that dies in between holds the lock of
   * the head for as long as the server believes in it, and without this nobody, on no machine, could publish meanwhile.
   */
  it('ends a statement that stopped in the middle, under whose lock everybody waits', async () => {
    await using database = await databases.create();
    const adapter = postgres({ url: database.url, queryTimeoutMs: 4_000 });
    await adapter.open();
    await adapter.store.append([sampleEvent(1)]);
    const stuck = await connect(`${database.url}?application_name=event-manager`);
    const { connection } = stuck;
    connection.parse({ name: '', text: 'UPDATE log_head SET head = head + 1000', types: [] }, true);
    connection.bind({ portal: '', statement: '', binary: 'false', values: [] }, true);
    connection.execute({ portal: '', rows: '0' }, true);
    connection.flush();
    await using monitor = await Monitor.start(database);
    await until('the lock is held', () => monitor.hasStuck());

    const [result] = allStored(await adapter.store.append([sampleEvent(2)]));
    expect(result!.place.position).toBe(2);
    await stuck.end();
    await adapter.close();
  });
});

/** What the server says about the connections of one database. */
class Monitor {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async start({ url }: { readonly url: string }): Promise<Monitor> {
    return new Monitor(await connect(url));
  }

  /** Ours. */
  async count(): Promise<number> {
    const { rows } = await this.#client.query(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'event-manager'`,
    );
    return (rows[0] as { count: number }).count;
  }

  async hasStuck(): Promise<boolean> {
    const { rows } = await this.#client.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'active' AND wait_event = 'ClientRead' AND backend_xid IS NOT NULL`,
    );
    return rows.length > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
