import { systemRuntime } from '@event-manager/core';
import { FaultProxy } from '@event-manager/testing';
import { createTestDatabase } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';
import { Connections } from '../../src/connect/connections.ts';
import { connect } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

const QUERY_TIMEOUT_MS = 1_500;

await withServer((server) => {
  /** Connections by two ways to one server, which are two hosts to them. */
  async function onTwoHosts(
    maxConnections: number,
    test: (connections: Connections, ways: readonly [FaultProxy, FaultProxy], url: string) => Promise<void>,
  ): Promise<void> {
    await using database = await createTestDatabase({ server });
    await using one = await FaultProxy.start(database.url);
    await using two = await FaultProxy.start(database.url);
    const url = one.url.replace(new URL(one.url).host, `${new URL(one.url).host},${new URL(two.url).host}`);
    const connections = new Connections({
      ...{ url, maxConnections, queryTimeoutMs: QUERY_TIMEOUT_MS, runtime: systemRuntime },
    });
    await test(connections, [one, two], database.url);
    await connections.close();
  }

  describe.each([8, 2])('a search, with %i connections', (maxConnections) => {
    /** If this failed, whoever searches would never learn that less must do, and every connection would move to a copy. */
    it('that takes too long is given up by the server, in time and without another try; its host stays', () =>
      onTwoHosts(maxConnections, async (connections) => {
        const refused = { code: 'store_unavailable', details: { sqlState: '57014' } };
        await expect(connections.search('SELECT pg_sleep(5)', [])).rejects.toMatchObject(refused);
        expect(connections.hosts.turn).toBe(0);
        // The connection is as good as before.
        expect(connections.facts.connections).toBe(1);
        expect(await connections.search('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
      }));

    it('that waits for a lock leaves the host as well', () =>
      onTwoHosts(maxConnections, async (connections, _ways, url) => {
        const other = await connect(url);
        await other.query('CREATE TABLE locked (n int)');
        await other.query('BEGIN; LOCK TABLE locked');
        await expect(connections.search('SELECT n FROM locked', [])).rejects.toMatchObject({
          code: 'store_unavailable',
        });
        expect(connections.hosts.turn).toBe(0);
        await other.end();
      }));

    it('by a way that is lost goes on to the next host', () =>
      onTwoHosts(maxConnections, async (connections, [one]) => {
        await connections.search('SELECT 1', []);
        one.set({ blackHole: true });
        await until('a search is answered', async () => {
          const rows = await connections.search('SELECT 1', []).catch(() => []);
          return rows.length === 1;
        });
        expect(connections.hosts.turn).toBe(1);
      }));
  });
});
