import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgres } from '@event-manager/postgres';
import { sampleEvent } from '@event-manager/testing/conformance';
import { createTestDatabase, type PrivateServer } from '@event-manager/testing/servers';
import type { Client } from 'pg';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { connect } from '../support/databases.ts';
import { printFigures } from '../support/figures.ts';
import { Load } from '../support/load.ts';
import { until } from '../support/until.ts';
import { withPrivateServer } from '../support/with-server.ts';

const CONNECTIONS_MAX = 30;
const QUERY_TIMEOUT_MS = 1_000;
const BALLAST_BYTES = 40 << 20;

interface Scene {
  readonly server: PrivateServer;
  /** Of the database that the adapter is on, as a superuser of its own. */
  readonly admin: Client;
  readonly database: { readonly name: string; readonly url: string };
  /** What the server told others and not its log. */
  readonly heard: Set<string>;
  /** Whether the server has said this since the scene began. */
  hasSaid(sqlState: string): boolean;
}

/** Brings about what the server refuses by; ends it again by what it gives. */
type Provoke = (scene: Scene, context: TestContext) => Promise<() => Promise<void>>;

const REFUSALS: Readonly<Record<string, Provoke>> = {
  '40P01': provokeDeadlock,
  '40001': (scene) => raiseEveryThird(scene, '40001'),
  '53200': (scene) => raiseEveryThird(scene, '53200'),
  '55P03': (scene) => holdHead(scene, '55P03'),
  '57014': (scene) => holdHead(scene, '57014'),
  '53300': takeAllConnections,
  '25006': forbidWriting,
  '53100': fillDisk,
  '57P01': endConnections,
  '57P02': killOneBackend,
  '57P03': shutDownForNewcomers,
};

await withPrivateServer(
  (server) => {
    /** If one were taken for final, the bus would stand still after it; if it were not typed, no client would know what to do. */
    describe('a server that refuses', () => {
      for (const [sqlState, provoke] of Object.entries(REFUSALS)) {
        it(`by ${sqlState}: nothing is lost, every refusal is typed, and it goes on afterwards`, async (context) => {
          await using database = await createTestDatabase({ server });
          const adapter = postgres({ url: database.url, maxConnections: 8, queryTimeoutMs: QUERY_TIMEOUT_MS });
          await adapter.open();
          const admin = await connect(database.url);
          const log = join(server.folder, 'log');
          const from = statSync(log).size;
          const heard = new Set<string>();
          const hasSaid = (state: string) => heard.has(state) || readFileSync(log).includes(`${state} `, from);
          const load = new Load(adapter);
          await until('events are acknowledged', () => load.acknowledged.size > 30);

          const end = await provoke({ server, admin, database, heard, hasSaid }, context);
          await until(`the server says ${sqlState}`, () => hasSaid(sqlState));
          await end();
          const endedMs = performance.now();
          await until('events are acknowledged again', () => load.lastAcknowledgedMs > endedMs);
          const resumedMs = Math.round(load.lastAcknowledgedMs - endedMs);
          await load.stop();
          const checked = await load.check(adapter);
          await adapter.close();
          await admin.end();
          printFigures('refusals of the server', { sqlState, ...checked, refused: load.refused, resumedMs });
          expect(checked).toMatchObject({ lost: 0, doubles: 0 });
          expect(load.unexpected).toEqual([]);
        });
      }

      it('for a reason that nobody foresaw is told from one that passes', async () => {
        await using database = await createTestDatabase({ server });
        const adapter = postgres({ url: database.url, queryTimeoutMs: QUERY_TIMEOUT_MS });
        await adapter.open();
        await adapter.store.append([sampleEvent(1)]);
        const admin = await connect(database.url);
        await admin.query('DROP FUNCTION trim_log');
        const failed = { code: 'store_failed', details: { sqlState: '42883' } };
        await expect(adapter.store.trim([{ partition: 0, position: 1 }])).rejects.toMatchObject(failed);
        await admin.end();
        await adapter.close();
      });
    });
  },
  { settings: { max_connections: String(CONNECTIONS_MAX), log_line_prefix: '%e ', deadlock_timeout: '100ms' } },
);

/** A commit of ours takes the head of the state and then a lease; this takes them the other way round, and is never the victim. */
async function provokeDeadlock({ admin, database, hasSaid }: Scene): Promise<() => Promise<void>> {
  const adapter = postgres({ url: database.url, maxConnections: 4 });
  await adapter.open();
  const [lease] = await adapter.state.acquire(['r'], { owner: 'a', ttlMs: 60_000 });
  await admin.query(`SET deadlock_timeout = '1min'`);
  await admin.query('BEGIN');
  await admin.query(`SELECT 1 FROM leases WHERE resource = 'r' FOR UPDATE`);
  const commit = adapter.state.commit([{ kind: 'topic', key: 'a', value: 1, lease: lease! }]);
  const other = await connect(database.url);
  const isWaiting = async () =>
    (await other.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%commit_state%'`))
      .rows.length > 0;
  await until('the commit waits for the lease', isWaiting);
  await admin.query('SELECT 1 FROM state_head FOR UPDATE');
  await until('a deadlock is found', () => hasSaid('40P01'));
  await admin.query('COMMIT');
  return async () => {
    expect(await commit).toBeGreaterThan(0);
    await other.end();
    await adapter.close();
  };
}

/** What cannot be brought about from outside: in the middle of the transaction, so that a part of it is undone. */
async function raiseEveryThird({ admin }: Scene, sqlState: string): Promise<() => Promise<void>> {
  await admin.query('CREATE SEQUENCE refusals');
  await admin.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF nextval('refusals') % 3 = 0 THEN RAISE 'no' USING ERRCODE = '${sqlState}'; END IF;
       RETURN NEW;
     END $$`,
  );
  for (const table of ['log_head', 'state_head']) {
    await admin.query(`CREATE TRIGGER refuse BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse()`);
  }
  return async () => {
    for (const table of ['log_head', 'state_head']) await admin.query(`DROP TRIGGER refuse ON ${table}`);
  };
}

/** Somebody holds the lock: ours is given up by its time limit for locks, or by an administrator who ends what waits. */
async function holdHead({ admin, database, hasSaid }: Scene, sqlState: string): Promise<() => Promise<void>> {
  await admin.query('BEGIN');
  await admin.query('SELECT 1 FROM log_head FOR UPDATE');
  const other = await connect(database.url);
  await until('what waits is ended', async () => {
    if (sqlState === '57014') {
      await other.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
    }
    return hasSaid(sqlState);
  });
  await other.end();
  return async () => {
    await admin.query('COMMIT');
  };
}

async function takeAllConnections({ admin, database }: Scene): Promise<() => Promise<void>> {
  const clients: Client[] = [];
  const takeOne = () =>
    connect(database.url).then(
      (client) => clients.push(client) > 0,
      () => false,
    );
  while (await takeOne());
  await admin.query(endOurs());
  // What became free goes at once to somebody else.
  while (await takeOne());
  return async () => {
    for (const client of clients) await client.end();
  };
}

async function forbidWriting({ admin, database }: Scene): Promise<() => Promise<void>> {
  await admin.query(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
  await admin.query(endOurs());
  return async () => {
    await admin.query('SET default_transaction_read_only = off');
    await admin.query(`ALTER DATABASE ${database.name} RESET default_transaction_read_only`);
  };
}

/** The tables go to a file system of their own; were it the whole server that is full, it would end itself. */
async function fillDisk({ server, admin }: Scene, context: TestContext): Promise<() => Promise<void>> {
  if (process.getuid?.() !== 0) context.skip('mounting a file system needs root');
  const mountPoint = join(server.folder, 'small');
  const { uid, gid } = statSync(server.folder);
  mkdirSync(mountPoint);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', mountPoint]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', mountPoint]));
  const tables = join(mountPoint, 'tables');
  mkdirSync(tables);
  chownSync(tables, uid, gid);
  await admin.query(`CREATE TABLESPACE small LOCATION '${tables}'`);
  const { rows } = await admin.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'events%'`,
  );
  for (const { tablename } of rows as { tablename: string }[]) {
    await admin.query(`ALTER TABLE ${tablename} SET TABLESPACE small`);
  }
  const ballast = join(mountPoint, 'ballast');
  writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES));
  return async () => rmSync(ballast);
}

async function endConnections({ admin }: Scene): Promise<() => Promise<void>> {
  for (let n = 0; n < 20; n++) await admin.query(endOurs());
  return async () => {};
}

/** After that the server trusts nobody's memory: it ends every connection and starts again. */
async function killOneBackend({ database, admin, heard }: Scene): Promise<() => Promise<void>> {
  admin.on('notice', ({ code }) => heard.add(String(code)));
  const victim = await connect(database.url);
  const { rows } = await victim.query('SELECT pg_backend_pid() AS pid');
  process.kill((rows[0] as { pid: number }).pid, 'SIGKILL');
  return async () => {};
}

/** Asked to end when everybody has left, it takes nobody in any more. */
async function shutDownForNewcomers({ server, admin, hasSaid }: Scene): Promise<() => Promise<void>> {
  await server.signal('SIGTERM');
  await until('newcomers are turned away', async () => {
    await admin.query(endOurs());
    return hasSaid('57P03');
  });
  return async () => {
    await server.stop('immediately');
    await server.start();
  };
}

function endOurs(): string {
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'event-manager'`;
}
