import type { EventBusAdapter } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { allStored, sampleEvent, sampleEvents, sampleId } from '@event-manager/testing/conformance';
import type { Client } from 'pg';
import { expect, it } from 'vitest';
import { connect, Databases } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

const PAGE = { limit: 1000, bytesMax: 1e9 };

await withServer((server) => {
  const databases = new Databases(server);

  async function onDatabase(test: (adapter: EventBusAdapter, client: Client) => Promise<void>): Promise<void> {
    await using database = await databases.create();
    const client = await connect(database.url);
    const adapter = postgres({ url: database.url, maxConnections: 4 });
    await adapter.open();
    await test(adapter, client);
    await adapter.close();
    await client.end();
  }

  it('drops whole partitions behind a trim, with the ids of their events, and makes the next ones ahead', () =>
    onDatabase(async (adapter, client) => {
      await client.query('UPDATE log_head SET partition_events = 16');
      await client.query('DROP TABLE events_1');
      await client.query('DELETE FROM event_partitions; UPDATE log_head SET partitioned_through = 0');
      const places = allStored(await adapter.store.append(sampleEvents(100))).map(({ place }) => place);
      await adapter.store.append(sampleEvents(5, 100));
      expect(await countOf(client, 'event_partitions')).toBe(8);
      await adapter.store.trim([places[39]!]);
      // Closing waits for the step that is under way; another process goes on from there.
      await until('two partitions are gone', async () => (await countOf(client, 'event_partitions')) === 6);
      expect(await countOf(client, 'event_ids')).toBe(65);
      expect(await countOf(client, 'events')).toBe(105 - 32);
      const { records } = await adapter.store.read(0, 0, PAGE);
      expect(records[0]!.id).toBe(sampleId(40));
      // A trimmed id is forgotten, whether its event is gone or only hidden.
      const again = await adapter.store.append([sampleEvent(0), sampleEvent(38), sampleEvent(40)]);
      expect(again.map(({ status }) => status)).toEqual(['stored', 'stored', 'duplicate']);
    }));

  it('keeps what JSONB cannot hold, without its columns', () =>
    onDatabase(async (adapter, client) => {
      const events = [
        sampleEvent(1, { payload: 'plain', correlationId: 'flow' }),
        sampleEvent(2, { payload: 'NUL \0', causationId: 'c' }),
        sampleEvent(3, { payload: 'half \ud800' }),
        sampleEvent(4, { payload: 'spelled \\u0000' }),
      ];
      await adapter.store.append(events);
      const records = await adapter.store.get(events.map(({ id }) => id));
      for (const [at, record] of records.entries()) expect(Buffer.compare(record!.body, events[at]!.body)).toBe(0);
      const { rows } = await client.query(
        `SELECT payload->>'value' AS value, correlation_id, version, retry_count FROM events ORDER BY position`,
      );
      expect(rows.map(({ value }) => value)).toEqual(['plain', null, null, null]);
      const ask = { limit: 10, direction: 'forward', budgetMs: 10_000 } as const;
      const found = await adapter.store.find({ causationIds: ['c'] }, ask);
      expect(found.records.map(({ id }) => id)).toEqual([events[1]!.id]);
      expect(rows[0]).toMatchObject({ correlation_id: 'flow', version: '1.0', retry_count: 0 });
    }));

  it('answers for a time before the years that the database knows', () =>
    onDatabase(async (adapter) => {
      const event = sampleEvent(1, { timestampMs: -8.64e15 });
      expect((await adapter.store.append([event]))[0]!.status).toBe('stored');
    }));

  it('finds by an index what is rare among many, in windows of positions', () =>
    onDatabase(async (adapter) => {
      for (let n = 0; n < 12; n++) await adapter.store.append(sampleEvents(2000, 2000 * n));
      await adapter.store.append([sampleEvent(24_000, { correlationId: 'rare', topic: 'a/b/c' })]);
      const options = { limit: 10, direction: 'forward', budgetMs: 10_000 } as const;
      for (const query of [{ correlationId: 'rare' }, { topic: 'a/#' }, { topic: '*/c' }, { topic: 'a/+/c' }]) {
        const { records, complete } = await adapter.store.find(query, options);
        expect([records.map(({ id }) => id), complete]).toEqual([[sampleId(24_000)], true]);
      }
    }));

  /** If this failed, a search whose first window takes too long would be refused for ever, however small a window would do. */
  it('searches with smaller windows when one takes longer than a call may', async () => {
    await using database = await databases.create();
    const client = await connect(database.url);
    const adapter = postgres({ url: database.url, queryTimeoutMs: 1_000 });
    await adapter.open();
    await adapter.store.append(sampleEvents(400));
    // Each event that is looked at takes three milliseconds: all of them more than a call has, a smaller window less.
    await client.query(`ALTER TABLE events RENAME TO events_kept;
      CREATE FUNCTION is_slow(at bigint) RETURNS boolean LANGUAGE sql VOLATILE COST 10000 AS
        'SELECT pg_sleep(0.003) IS NOT NULL';
      CREATE VIEW events AS SELECT * FROM events_kept WHERE is_slow(position)`);
    const options = { limit: 1_000, direction: 'forward', budgetMs: 60_000 } as const;
    const { records, complete } = await adapter.store.find({ topic: '#' }, options);
    expect([records.length, complete]).toEqual([400, true]);
    await adapter.close();
    await client.end();
  });

  it('leaves a lease to its holder by the clock of the server', () =>
    onDatabase(async ({ state }) => {
      const [lease] = await state.acquire(['r'], { owner: 'a', ttlMs: 200 });
      let [taken] = await state.acquire(['r'], { owner: 'b', ttlMs: 60_000 });
      expect(taken).toBeUndefined();
      const endMs = Date.now() + 30_000;
      while (taken === undefined && Date.now() < endMs)
        [taken] = await state.acquire(['r'], { owner: 'b', ttlMs: 60_000 });
      expect(taken!.token).toBeGreaterThan(lease!.token);
    }));
});

async function countOf(client: Client, table: string): Promise<number> {
  const { rows } = await client.query(`SELECT count(*)::int AS count FROM ${table}`);
  return (rows[0] as { count: number }).count;
}
