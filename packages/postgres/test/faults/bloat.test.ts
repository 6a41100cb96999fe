import type { EventBusAdapter } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { sampleEvents } from '@event-manager/testing/conformance';
import { createTestDatabase } from '@event-manager/testing/servers';
import type { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { connect } from '../support/databases.ts';
import { amount, printFigures } from '../support/figures.ts';
import { until } from '../support/until.ts';
import { withPrivateServer } from '../support/with-server.ts';

const EVENTS = Number(process.env['POSTGRES_BLOAT_EVENTS'] ?? amount(20_000, 10_000_000));
/** Of them retention leaves so many, in five partitions. */
const LIVE = EVENTS / 10;
const PARTITION = Math.ceil(LIVE / 5);
const BATCH = Math.min(500, LIVE / 10);
const SIZE_MAX = 2;
const DRIFT_MAX = 1.3;
/** So small a run on a machine with other work says nothing about a hundredth of its calls. */
const EVENTS_FOR_DRIFT = 1_000_000;
/** Ten a second for two minutes, or an hour. */
const COMMITS = amount(1_200, 36_000);
const SUBSCRIPTIONS = 20;

await withPrivateServer(
  (server) => {
    /** If it were otherwise, a bus that runs for months would need ever more disk for the same events, and ever more time. */
    describe('what goes through and leaves again', () => {
      it(`leaves no bloat: ${EVENTS} events with retention`, { timeout: 60_000 + EVENTS }, async () => {
        await using database = await createTestDatabase({ server });
        await using fresh = await createTestDatabase({ server });
        const expected = await sizeOfFresh(fresh.url);
        const adapter = await openWithPartitions(database.url);
        const client = await connect(database.url);
        const tookMs: number[] = [];
        for (let n = 0; n < EVENTS; n += BATCH) {
          const startedMs = performance.now();
          await adapter.store.append(sampleEvents(BATCH, n));
          tookMs.push(performance.now() - startedMs);
          const due = n + BATCH - LIVE;
          if (due > 0 && due % PARTITION === 0) await adapter.store.trim([{ partition: 0, position: due }]);
        }
        // Twice: the second goes on where the first was told that another one cleans.
        await until('the rest of what was trimmed is gone', async () => {
          await adapter.store.trim([{ partition: 0, position: EVENTS - LIVE }]);
          return (await partitionsOf(client)) <= LIVE / PARTITION + 3;
        });
        const size = await sizeOf(client);
        const ratio = size / expected;
        const drift =
          p99(tookMs.slice((tookMs.length * 2) / 3)) / p99(tookMs.slice(tookMs.length / 9, tookMs.length / 3));
        const figures = {
          events: EVENTS,
          live: LIVE,
          sizeMiB: Math.round(size / 2 ** 20),
          ratio: round(ratio),
          drift: round(drift),
        };
        printFigures('bloat of the log', figures);
        expect(ratio).toBeLessThanOrEqual(SIZE_MAX);
        if (EVENTS >= EVENTS_FOR_DRIFT) expect(drift).toBeLessThanOrEqual(DRIFT_MAX);
        await client.end();
        await adapter.close();
      });

      it(`nor do ${COMMITS} commits of the progress of ${SUBSCRIPTIONS} subscriptions`, {
        timeout: 300_000,
      }, async () => {
        await using database = await createTestDatabase({ server });
        const adapter = postgres({ url: database.url, maxConnections: 4 });
        await adapter.open();
        const client = await connect(database.url);
        const commit = (n: number) => adapter.state.commit(progressOf(n));
        await commit(0);
        const before = await sizeOf(client);
        for (let n = 1; n <= COMMITS; n++) await commit(n);
        await client.query('SELECT pg_stat_force_next_flush()');
        await until('the server has counted', async () => (await updatesOf(client)).updated >= COMMITS * SUBSCRIPTIONS);
        const { updated, hot, dead } = await updatesOf(client);
        const size = await sizeOf(client);
        const hotShare = round(hot / updated);
        const kiB = [before, size].map((bytes) => Math.round(bytes / 1024));
        printFigures('bloat of the state', {
          commits: COMMITS,
          updated,
          hotShare,
          dead,
          kiBBefore: kiB[0],
          kiBAfter: kiB[1],
        });
        expect(hotShare).toBeGreaterThan(0.95);
        expect(dead).toBeLessThan(SUBSCRIPTIONS * 200);
        expect(size).toBeLessThanOrEqual(before + (1 << 20));
        await client.end();
        await adapter.close();
      });
    });
  },
  { settings: { autovacuum_naptime: '1s' } },
);

async function openWithPartitions(url: string): Promise<EventBusAdapter> {
  const adapter = postgres({ url, maxConnections: 4 });
  await adapter.open();
  const client = await connect(url);
  await client.query(`UPDATE log_head SET partition_events = ${PARTITION}, partitioned_through = 0`);
  await client.query('DROP TABLE events_1; DELETE FROM event_partitions');
  await client.end();
  return adapter;
}

/** What the live events take where nothing else ever was. */
async function sizeOfFresh(url: string): Promise<number> {
  const adapter = await openWithPartitions(url);
  for (let n = 0; n < LIVE; n += BATCH) await adapter.store.append(sampleEvents(BATCH, n));
  await adapter.close();
  const client = await connect(url);
  const size = await sizeOf(client);
  await client.end();
  return size;
}

/** Tables with their indexes and what is kept beside them. */
async function sizeOf(client: Client): Promise<number> {
  const { rows } = await client.query(
    `SELECT sum(pg_total_relation_size(oid))::float8 AS size FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
  );
  return (rows[0] as { size: number }).size;
}

async function partitionsOf(client: Client): Promise<number> {
  const { rows } = await client.query('SELECT count(*)::int AS count FROM event_partitions');
  return (rows[0] as { count: number }).count;
}

async function updatesOf(client: Client): Promise<{ updated: number; hot: number; dead: number }> {
  const { rows } = await client.query(
    `SELECT n_tup_upd::int AS updated, n_tup_hot_upd::int AS hot, n_dead_tup::int AS dead
     FROM pg_stat_user_tables WHERE relname = 'state_records'`,
  );
  return rows[0] as { updated: number; hot: number; dead: number };
}

/** A window that slides, with a few holes, as the engine writes it. */
function progressOf(n: number) {
  return Array.from({ length: SUBSCRIPTIONS }, (_, subscription) => {
    const lane = [
      n * 10,
      n * 10 + 1_000,
      [
        [n * 10 + 2, n * 10 + 4],
        [n * 10 + 7, n * 10 + 9],
      ],
    ];
    return {
      kind: 'progress',
      key: `subscription-${subscription}/0`,
      value: { lanes: [lane, lane, lane, lane], epoch: 1 },
    } as const;
  });
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)]!;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
