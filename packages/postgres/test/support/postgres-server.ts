import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';

/** Debian's place, one folder per version. */
const DEBIAN = '/usr/lib/postgresql';
const MEMORY = '/dev/shm';
const MEMORY_FREE_MIN = 2 ** 30;
const START_MS_MAX = 30_000;

export interface PostgresServer {
  readonly port: number;
  /** Of a database on it. */
  url(database: string): string;
  /** Stops at once, as a crash of the server does, and starts again on the same data. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a private server, or gives the reason why there is none. Where `CI` is set there must be one. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer | string> {
  const bin = findBin();
  if (bin !== undefined) return start(bin, settings);
  if (process.env['CI']) throw new TypeError('CI has no PostgreSQL server: these tests may not be skipped there.');
  return 'no PostgreSQL server is installed';
}

function findBin(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  const versions = readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(DEBIAN, version, 'bin')).find((path) => existsSync(join(path, 'initdb')));
}

async function start(bin: string, settings: readonly string[]): Promise<PostgresServer> {
  const owner = ownerOfServer();
  const directory = mkdtempSync(join(roomFor(), 'event-manager-postgres-'));
  if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
  const data = join(directory, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '--auth=trust', '--no-sync'];
  execFileSync(join(bin, 'initdb'), initdb, { ...owner, cwd: directory, stdio: 'pipe' });
  const port = await freePort();
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const given = ['listen_addresses=127.0.0.1', 'max_connections=200', 'shared_buffers=64MB', ...settings];
  const args = ['-D', data, '-p', String(port), '-k', directory, ...given.flatMap((setting) => ['-c', setting])];

  const run = async () => {
    const child = spawn(join(bin, 'postgres'), args, { ...owner, cwd: directory, stdio: 'ignore' });
    const killWithUs = () => child.kill('SIGQUIT');
    process.once('exit', killWithUs);
    const ended = once(child, 'exit').then(() => process.removeListener('exit', killWithUs));
    await untilReady(url('postgres'));
    return async (signal: 'SIGINT' | 'SIGQUIT') => {
      child.kill(signal);
      await ended;
    };
  };
  let end = await run();
  return {
    port,
    url,
    crash: () => end('SIGQUIT'),
    async restart() {
      end = await run();
    },
    async stop() {
      await end('SIGQUIT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The server refuses to run as root. */
function ownerOfServer(): { uid: number; gid: number } | undefined {
  if (userInfo().uid !== 0) return undefined;
  const idOf = (which: string) => Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** In memory where there is room: a sync costs nothing there, and what it means is not what these tests are about. */
function roomFor(): string {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= MEMORY_FREE_MIN ? MEMORY : tmpdir();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('The socket has no port.');
  return address.port;
}

async function untilReady(url: string): Promise<void> {
  const endMs = Date.now() + START_MS_MAX;
  for (;;) {
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      await client.end().catch(() => {});
      if (Date.now() > endMs) throw error;
      await pause(20);
    }
  }
}
