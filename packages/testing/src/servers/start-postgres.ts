import { execFile } from 'node:child_process';
import { chown, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, postgresAccount } from './account.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { postgresAnswers } from './postgres-session.ts';
import type { PrivateServer, PrivateServerOptions } from './private-server.ts';
import { randomName } from './random-name.ts';
import { ServerContainer, whyNoDocker } from './server-container.ts';
import { ServerError } from './server-error.ts';
import { ServerFolder } from './server-folder.ts';
import { ServerProcess } from './server-process.ts';
import { startPrivate } from './start-private.ts';

/** SIGTERM would wait for clients to leave, which those of a test may never do. */
const SIGNALS = { orderly: 'SIGINT', immediately: 'SIGQUIT', killed: 'SIGKILL' } as const;
/** Two workers with several instances each, and every instance with a pool. */
const SETTINGS = { max_connections: '300', listen_addresses: '127.0.0.1', unix_socket_directories: '' };
const run = promisify(execFile);

export interface PostgresServerOptions extends PrivateServerOptions {
  /** Makes it a copy of the server with this url, which feeds it from then on, until it is promoted. Only from programs of this machine. */
  readonly copyOf?: string;
}

/**
 * A PostgreSQL of one's own, from the programs of this machine or else as a container; nothing of it is tuned to be faster or less
 * durable.
 */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PrivateServer> {
  const program = await findProgram('postgres');
  if (program === undefined) return startContainer(options);
  const account = postgresAccount();
  const folder = await ServerFolder.create(account, options.parent);
  const { copyOf } = options;
  const password = copyOf === undefined ? randomName() : new URL(copyOf).password;
  const data = join(folder.path, 'data');
  const tool = (name: string) => join(dirname(program), name);
  try {
    if (copyOf === undefined) await makeCluster(tool('initdb'), folder.path, data, password, account);
    else await copyCluster(tool('pg_basebackup'), copyOf, data, account);
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const port = await freePort();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const pidFile = join(folder.path, 'postgres.pid');
  const settings = { ...SETTINGS, ...options.settings, port: String(port), external_pid_file: pidFile };
  const server = new ServerProcess({
    program,
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    account,
    pidFile,
    logFile: join(folder.path, 'log'),
    isReady: () => postgresAnswers(url),
  });
  return startPrivate({ url, folder, server, signals: SIGNALS });
}

/** `-R` writes down where to be fed from. */
async function copyCluster(program: string, url: string, data: string, account: Account | undefined): Promise<void> {
  await run(program, ['-d', url, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'], {
    ...account,
    cwd: '/',
  });
}

async function startContainer({ parent, settings, copyOf }: PostgresServerOptions): Promise<PrivateServer> {
  const missing = await whyNoDocker();
  if (missing !== undefined) throw new ServerError(`This machine has no PostgreSQL, and ${missing}.`);
  if (copyOf !== undefined)
    throw new ServerError('A copy of a server needs the programs of PostgreSQL on this machine.');
  const folder = await ServerFolder.create(undefined, parent);
  const port = await freePort();
  const password = randomName();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const given = Object.entries({ max_connections: SETTINGS.max_connections, ...settings });
  const server = new ServerContainer({
    name: `event-manager-postgres-${randomName()}`,
    folder: folder.path,
    image: 'postgres:17',
    port,
    insidePort: 5432,
    environment: { POSTGRES_PASSWORD: password },
    args: given.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    isReady: () => postgresAnswers(url),
  });
  return startPrivate({ url, folder, server, signals: SIGNALS });
}

/** With a password, since every account of this machine can reach the port. */
async function makeCluster(
  initdb: string,
  folder: string,
  data: string,
  password: string,
  account: { readonly uid: number; readonly gid: number } | undefined,
): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  // Only what initdb itself writes is not synced: after a crash of the machine nobody wants this cluster back.
  await run(initdb, ['-D', data, '--encoding=UTF8', '--locale=C', '--no-sync', ...access], { ...account, cwd: '/' });
}
