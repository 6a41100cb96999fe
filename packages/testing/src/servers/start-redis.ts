import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import type { PrivateServer, PrivateServerOptions } from './private-server.ts';
import { randomName } from './random-name.ts';
import { redisAnswers } from './redis-session.ts';
import { ServerContainer, whyNoDocker } from './server-container.ts';
import { ServerError } from './server-error.ts';
import { ServerFolder } from './server-folder.ts';
import { ServerProcess } from './server-process.ts';
import { startPrivate } from './start-private.ts';

/** Redis has no way of its own to end at once but still in order: an end that flushes nothing is a kill. */
const SIGNALS = { orderly: 'SIGTERM', immediately: 'SIGKILL', killed: 'SIGKILL' } as const;
/** As durable as Redis can be; a test of less says so. `save ""` because a snapshot beside the log would hide what the log lost. */
const SETTINGS = {
  appendonly: 'yes',
  appendfsync: 'always',
  save: '""',
  'maxmemory-policy': 'noeviction',
  bind: '127.0.0.1',
};

/** A Redis of one's own, from the program of this machine or else as a container. */
export async function startRedis(options: PrivateServerOptions = {}): Promise<PrivateServer> {
  const program = await findProgram('redis-server');
  if (program === undefined) return startContainer(options);
  const folder = await ServerFolder.create(undefined, options.parent);
  const port = await freePort();
  const password = randomName();
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const pidFile = join(folder.path, 'redis.pid');
  const own = { port: String(port), dir: `"${folder.path}"`, pidfile: `"${pidFile}"`, requirepass: password };
  const lines = Object.entries({ ...SETTINGS, ...options.settings, ...own }).map(([name, value]) => `${name} ${value}`);
  // A file, because arguments, and with them the password, can be read by everybody on this machine.
  const settingsFile = join(folder.path, 'redis.conf');
  await writeFile(settingsFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  const server = new ServerProcess({
    program,
    args: [settingsFile],
    account: undefined,
    pidFile,
    logFile: join(folder.path, 'log'),
    isReady: () => redisAnswers(url),
  });
  return startPrivate({ url, folder, server, signals: SIGNALS });
}

async function startContainer({ parent, settings }: PrivateServerOptions): Promise<PrivateServer> {
  const missing = await whyNoDocker();
  if (missing !== undefined) throw new ServerError(`This machine has no Redis, and ${missing}.`);
  const folder = await ServerFolder.create(undefined, parent);
  const port = await freePort();
  const password = randomName();
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const given = Object.entries({ ...SETTINGS, bind: '0.0.0.0', ...settings, requirepass: password });
  const server = new ServerContainer({
    name: `event-manager-redis-${randomName()}`,
    folder: folder.path,
    image: 'redis:7',
    port,
    insidePort: 6379,
    environment: {},
    args: given.flatMap(([name, value]) => [`--${name}`, value === '""' ? '' : value]),
    isReady: () => redisAnswers(url),
  });
  return startPrivate({ url, folder, server, signals: SIGNALS });
}
