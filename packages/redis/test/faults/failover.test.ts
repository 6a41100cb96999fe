import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultProxy } from '@event-manager/testing';
import { missingServer, type PrivateServer, startRedis } from '@event-manager/testing/servers';
import { createClient } from 'redis';
import { expect, it } from 'vitest';
import { LoadedBus } from '../support/loaded-bus.ts';
import { until } from '../support/until.ts';

const missing = (await missingServer('postgres')) ?? (await missingServer('redis'));

/** Both have one password, as servers of which one takes over from the other must. */
async function startPair(): Promise<readonly [PrivateServer, PrivateServer]> {
  const primary = await startRedis();
  const replica = await startRedis();
  const { password, port } = new URL(primary.url);
  await tell(primary.url, ['CONFIG', 'SET', 'masterauth', password]);
  await tell(
    replica.url,
    ['CONFIG', 'SET', 'masterauth', password],
    ['CONFIG', 'SET', 'repl-diskless-sync-delay', '0'],
    ['REPLICAOF', '127.0.0.1', port],
    ['CONFIG', 'SET', 'requirepass', password],
  );
  return [primary, replica];
}

it('loses nothing when Sentinel makes a replica the primary that had not got everything', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const [primary, replica] = await startPair();
  if (primary.pid === undefined) {
    await Promise.all([primary.close(), replica.close()]);
    return context.skip('Sentinel needs a Redis of this machine');
  }
  const { password, port } = new URL(primary.url);
  const replicaUrl = primary.url.replace(port, new URL(replica.url).port);
  await until(async () => (await ask(replicaUrl, ['INFO', 'replication'])).includes('master_link_status:up'));
  await using proxy = await FaultProxy.start(primary.url);
  await using sentinel = await startSentinel(Number(port), password);
  await until(async () => (await ask(sentinel.url, ['INFO', 'sentinel'])).includes('slaves=1'));
  const bus = await LoadedBus.start([proxy.url, proxy.url]);
  const isUp = () => bus.redisStates().every((state) => state === 'up');
  await until(isUp);

  // What the replica does not get any more.
  await tell(replicaUrl, ['CONFIG', 'SET', 'masterauth', 'wrong'], ['CLIENT', 'KILL', 'TYPE', 'master']);
  await tell(primary.url, ['SET', 'unsynced', 'x']);
  await primary.stop('killed');
  await until(() => !isUp());
  await until(async () => (await ask(sentinel.url, ['SENTINEL', 'masters'])).includes(new URL(replica.url).port));
  await until(async () => (await ask(replicaUrl, ['ROLE'])).includes('master'));
  // What an address that follows the primary does.
  proxy.turnTo(replicaUrl);
  await until(isUp);
  expect(await ask(replicaUrl, ['EXISTS', 'unsynced'])).toBe('0');
  await bus.close();
  process.stdout.write(
    `${JSON.stringify({ failover: 'Sentinel', published: bus.acknowledged.length, lost: bus.missing })}\n`,
  );
  expect([bus.missing, bus.duplicates]).toEqual([0, 0]);
  await Promise.all([primary.close(), replica.close()]);
});

it('does not take a server that became a replica for one where the others hear it', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const [primary, replica] = await startPair();
  await using proxy = await FaultProxy.start(primary.url);
  const bus = await LoadedBus.start([proxy.url, primary.url]);
  await until(() => bus.redisStates().every((state) => state === 'up'));
  const { port } = new URL(replica.url);
  // One process gets to the other server: what it says there, nobody hears at the primary.
  proxy.turnTo(primary.url.replace(new URL(primary.url).port, port));
  proxy.reset();
  const reason = () => bus.adapters[0]!.health().impairment?.reason;
  await until(() => reason() === 'The Redis at this address is a replica.');
  expect(bus.redisStates()).toEqual(['away', 'up']);
  await bus.close();
  expect([bus.missing, bus.duplicates]).toEqual([0, 0]);
  await Promise.all([primary.close(), replica.close()]);
});

async function startSentinel(primaryPort: number, password: string) {
  const folder = await mkdtemp(join(tmpdir(), 'event-manager-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir "${folder}"`, `sentinel monitor it 127.0.0.1 ${primaryPort} 1`],
    ...[`sentinel auth-pass it ${password}`, 'sentinel down-after-milliseconds it 1000'],
    'sentinel failover-timeout it 5000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit');
  const url = `redis://127.0.0.1:${port}`;
  await until(() =>
    ask(url, ['PING']).then(
      (answer) => answer === 'PONG',
      () => false,
    ),
  );
  return {
    url,
    async [Symbol.asyncDispose]() {
      kill();
      await ended;
      process.removeListener('exit', kill);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The answer as text. */
async function ask(url: string, command: readonly string[]): Promise<string> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  try {
    await client.connect();
    const answer = await client.sendCommand([...command]);
    return typeof answer === 'string' ? answer : JSON.stringify(answer);
  } finally {
    client.destroy();
  }
}

async function tell(url: string, ...commands: readonly string[][]): Promise<void> {
  for (const command of commands) await ask(url, command);
}
