import { createClient } from 'redis';
import { beforeEach, expect, it } from 'vitest';
import { createTestKeys, type Ending, skipWithout, startRedis } from '../../src/servers/index.ts';

beforeEach((context) => skipWithout('redis', context));

it.each<Ending>(['orderly', 'killed'])('comes back under its url with what was answered: %s', async (ending) => {
  await using server = await startRedis();
  await withClient(server.url, (client) => client.set('kept', 'yes'));
  await server.stop(ending);
  await expect(withClient(server.url, (client) => client.ping())).rejects.toThrow();
  await server.start();
  expect(await withClient(server.url, (client) => client.get('kept'))).toBe('yes');
});

it('takes settings by their own names', async () => {
  await using server = await startRedis({ settings: { appendfsync: 'everysec', 'maxmemory-policy': 'allkeys-lru' } });
  expect(await withClient(server.url, (client) => client.configGet(['appendfsync', 'maxmemory-policy']))).toEqual({
    appendfsync: 'everysec',
    'maxmemory-policy': 'allkeys-lru',
  });
});

it('hangs while it is stopped by a signal, and goes on', async () => {
  await using server = await startRedis();
  await server.signal('SIGSTOP');
  let answered = false;
  const asked = withClient(server.url, (client) => client.ping()).then(() => (answered = true));
  // Another server answers meanwhile, so this one had its chance.
  await using other = await startRedis();
  await withClient(other.url, (client) => client.ping());
  expect(answered).toBe(false);
  await server.signal('SIGCONT');
  await asked;
});

it('gives each test keys of its own and removes only those', async () => {
  await using mine = await createTestKeys();
  const other = await createTestKeys();
  await withClient(mine.url, async (client) => {
    await client.set(`${mine.keyPrefix}a`, '1');
    await client.set(`${other.keyPrefix}a`, '2');
    await other.remove();
    expect(await client.get(`${mine.keyPrefix}a`)).toBe('1');
    expect(await client.get(`${other.keyPrefix}a`)).toBeNull();
  });
});

async function withClient<T>(url: string, ask: (client: ReturnType<typeof open>) => Promise<T>): Promise<T> {
  const client = open(url);
  client.on('error', () => {});
  try {
    await client.connect();
    return await ask(client);
  } finally {
    client.destroy();
  }
}

function open(url: string) {
  return createClient({ url, socket: { reconnectStrategy: false } });
}
