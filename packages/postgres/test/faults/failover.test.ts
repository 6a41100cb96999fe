import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import { createTestDatabase, type PrivateServer, startPostgres } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';
import { connect } from '../support/databases.ts';
import { printFigures } from '../support/figures.ts';
import { Load } from '../support/load.ts';
import { readAll } from '../support/read-all.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

const LOST = 40;
const RESUMED_MS_MAX = 10_000;

await withServer(() => {
  describe('a failover to a copy', () => {
    it('that has everything loses nothing and reports no loss', { timeout: 120_000 }, async () => {
      await using first = await startPostgres();
      await using copy = await startPostgres({ copyOf: first.url });
      await ask(first.url, `ALTER SYSTEM SET synchronous_standby_names = '*'`);
      await ask(first.url, 'SELECT pg_reload_conf()');
      await untilFed(first.url, 'sync');
      const database = await createTestDatabase({ server: first });
      const adapter = postgres({ url: both(database.url, copy), queryTimeoutMs: 2_000 });
      await adapter.open();
      const load = new Load(adapter);
      await until('events are acknowledged', () => load.acknowledged.size > 300);

      await first.stop('immediately');
      const goneMs = performance.now();
      await promote(copy);
      await until('events are acknowledged again', () => load.lastAcknowledgedMs > goneMs + 200);
      const resumedMs = Math.round(load.lastAcknowledgedMs - goneMs);
      const before = load.acknowledged.size;
      await until('and more', () => load.acknowledged.size > before + 300);
      await load.stop();
      const checked = await load.check(adapter);
      printFigures('failover to a synchronous copy', { ...checked, refused: load.refused, resumedMs });
      expect(checked).toMatchObject({ lost: 0, doubles: 0 });
      expect(load.unexpected).toEqual([]);
      expect(adapter.health().lost).toBeUndefined();
      expect(resumedMs).toBeLessThanOrEqual(RESUMED_MS_MAX);
      await adapter.close();
    });

    /**
     * If positions were given a second time, whoever had counted on to there would never see the events that have them now; and
     * if nobody compared, nobody would know that acknowledged events are gone.
     */
    it('that has not everything is told, and what comes afterwards is delivered', { timeout: 120_000 }, async () => {
      await using first = await startPostgres();
      await using way = await FaultProxy.start(first.url);
      await using copy = await startPostgres({ copyOf: way.url });
      const database = await createTestDatabase({ server: first });
      await untilFed(first.url, 'async');
      const url = both(database.url, copy);
      const adapter = postgres({ url, queryTimeoutMs: 2_000 });
      const events = new EventManager({ adapter, systemEvents: true });
      const received = new Set<string>();
      await events.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void received.add(id) });
      const publish = async (count: number) => {
        const published = Array.from({ length: count }, () => events.publish({ type: 'a.b', source: 'test' }));
        return (await Promise.all(published)).map(({ id }) => id);
      };
      const kept = await publish(20);
      await until('they are delivered', () => kept.every((id) => received.has(id)));
      await untilCaughtUp(first.url);

      way.set({ blackHole: true });
      const { head } = (await adapter.store.bounds())[0]!;
      const lost = await publish(LOST);
      await until('they are delivered', () => lost.every((id) => received.has(id)));
      const lostThrough = (await adapter.store.bounds())[0]!.head;
      await first.stop('immediately');
      await promote(copy);

      const range = { from: head + 1, through: lostThrough };
      await until('the loss is told', () => adapter.health().lost !== undefined);
      const afterwards: string[] = [];
      await until('events are taken again', async () => {
        afterwards.push(...(await publish(1).catch(() => [])));
        return afterwards.length > 0;
      });
      afterwards.push(...(await publish(LOST + 20)));
      await until('what comes afterwards is delivered', () => afterwards.every((id) => received.has(id)));
      expect(adapter.health().lost).toEqual([{ ...range, cause: 'damaged' }]);
      const tellings = () => events.getEvents({ topic: '$sys/store/damaged' });
      await until('subscribers to the bus itself are told', async () => (await tellings()).length > 0);
      const told = await tellings();
      expect(told.map(({ payload }) => payload)).toMatchObject([range]);

      const records = await readAll(adapter.store);
      const inLog = new Set(records.map(({ id }) => id));
      expect(lost.filter((id) => inLog.has(id))).toEqual([]);
      expect([...kept, ...afterwards].filter((id) => !inLog.has(id))).toEqual([]);
      const { lost: met } = await adapter.store.read(0, head, { limit: 10, bytesMax: 1e6 });
      expect(met).toEqual({ ...range, cause: 'damaged' });
      // Another process learns of it from the store.
      const other = postgres({ url });
      await other.open();
      expect(other.health().lost).toEqual([{ ...range, cause: 'damaged' }]);
      expect((await other.store.bounds())[0]).toMatchObject({ events: records.length });
      await other.close();
      printFigures('failover to an asynchronous copy', {
        acknowledged: 20 + LOST + afterwards.length,
        lost: LOST,
        range,
      });
      await events.close();
    });
  });
});

/** One url for both servers, with the database of the first. */
function both(url: string, copy: PrivateServer): string {
  const first = new URL(url);
  return url.replace(first.host, `${first.host},${new URL(copy.url).host}`);
}

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = await connect(url);
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

async function promote(copy: PrivateServer): Promise<void> {
  await ask(copy.url, 'SELECT pg_promote()');
}

async function untilFed(url: string, state: 'sync' | 'async'): Promise<void> {
  await until('the copy is fed', async () => {
    const rows = await ask(url, 'SELECT sync_state FROM pg_stat_replication');
    return rows.some((row) => row['sync_state'] === state);
  });
}

async function untilCaughtUp(url: string): Promise<void> {
  await until('the copy has everything', async () => {
    const rows = await ask(url, 'SELECT replay_lsn = pg_current_wal_lsn() AS all FROM pg_stat_replication');
    return rows.some((row) => row['all'] === true);
  });
}
