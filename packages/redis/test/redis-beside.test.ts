import { type EventBusAdapter, EventManager, memory } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { type RedisBesideOptions, redisBeside } from '@event-manager/redis';
import { createTestDatabase, missingServer, type PrivateServer, startRedis } from '@event-manager/testing/servers';
import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import { until } from './support/until.ts';

const missing = (await missingServer('postgres')) ?? (await missingServer('redis'));

describe('redisBeside', () => {
  const shared = () => postgres({ url: 'postgres://localhost/any' });

  it('refuses options that it does not know or cannot use, and repeats no secret', () => {
    const url = 'redis://:secret@localhost';
    expect(() => redisBeside(shared(), { url, prefix: 'a' } as RedisBesideOptions)).toThrow(TypeError);
    expect(() => redisBeside(shared(), undefined as unknown as RedisBesideOptions)).toThrow(TypeError);
    const invalid = expect.objectContaining({ code: 'invalid_setting' });
    for (const keyPrefix of ['', 'a b', 'ä', 'x'.repeat(129), 7 as unknown as string]) {
      expect(() => redisBeside(shared(), { url, keyPrefix })).toThrow(invalid);
    }
    expect(() => redisBeside(shared(), { url: 'http://:secret@localhost' })).toThrow(invalid);
    expect(() => redisBeside(shared(), { url: 'redis://:secret@localhost/a' })).not.toThrow(/secret/);
  });

  it('refuses an adapter that one process has for itself', () => {
    const refused = expect.objectContaining({ code: 'not_supported' });
    expect(() => redisBeside(memory(), { url: 'redis://localhost' })).toThrow(refused);
  });

  it('refuses an adapter that does not tell its store from others', () => {
    const nameless = Object.create(shared(), { storeId: { value: undefined } }) as EventBusAdapter;
    expect(() => redisBeside(nameless, { url: 'redis://localhost' })).toThrow(
      expect.objectContaining({ code: 'not_supported' }),
    );
  });
});

describe.skipIf(missing !== undefined)('Redis beside PostgreSQL', () => {
  it.each(['allkeys-lru', 'volatile-ttl'])('refuses to start with maxmemory-policy %s and names it', async (policy) => {
    await using redis = await startRedis({ settings: { 'maxmemory-policy': policy } });
    await using database = await createTestDatabase();
    const adapter = beside(database.url, redis.url);
    await expect(adapter.open()).rejects.toMatchObject({
      code: 'invalid_setting',
      message: expect.stringContaining(`maxmemory-policy of Redis is ${policy}`),
      details: { setting: 'maxmemory-policy' },
    });
    // Nothing is left open, and it may be tried again.
    await tell(redis, ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    const again = beside(database.url, redis.url);
    await again.open();
    expect(again.health().facts).toMatchObject({ redis: 'up', redisLosses: 0 });
    await again.close();
    await until(async () => (await connectionsOf(redis)) === 0);
  });

  it('goes on without a server that shows such a policy only when the bus runs', async () => {
    await using redis = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-random' } });
    await redis.stop();
    await using database = await createTestDatabase();
    const adapter = beside(database.url, redis.url);
    await adapter.open();
    await redis.start();
    const words = 'maxmemory-policy of Redis is allkeys-random; it must be noeviction.';
    await until(() => adapter.health().impairment?.reason === words);
    await tell(redis, ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    await until(() => adapter.health().facts['redis'] === 'up');
    await adapter.close();
  });

  it('works with the few rights that the README names, and says so where the policy is hidden', async () => {
    await using redis = await startRedis();
    const { password } = new URL(redis.url);
    const rights = ['&dadms:events:*', '+@connection', '+@pubsub', '+role'];
    await tell(redis, ['ACL', 'SETUSER', 'bus', 'on', `>${password}`, 'resetchannels', ...rights]);
    await using database = await createTestDatabase();
    const url = redis.url.replace('redis://:', 'redis://bus:');
    const adapter = beside(database.url, url);
    await adapter.open();
    const warning = 'The maxmemory-policy of Redis could not be read; it must be noeviction.';
    expect(adapter.health()).toMatchObject({ status: 'ok', facts: { redis: 'up' }, warnings: [warning] });
    await adapter.close();

    await tell(redis, ['ACL', 'SETUSER', 'bus', '+config|get']);
    const another = beside(database.url, url);
    await another.open();
    expect(another.health().warnings).toBeUndefined();
    expect(another.health().impairment).toBeUndefined();
    await another.close();
  });

  it('starts where Redis is away or says no, tells why in words without secrets, and finds it later', async () => {
    await using redis = await startRedis();
    await using database = await createTestDatabase();
    await tell(redis, ['ACL', 'SETUSER', 'bus', 'on', '>another']);
    const adapter = beside(database.url, redis.url.replace('redis://:', 'redis://bus:'));
    const bus = new EventManager({ adapter });
    const received: string[] = [];
    await bus.subscribe({ topic: '#', name: 'all', handler: ({ id }) => void received.push(id) });
    const { id } = await bus.publish({ type: 'a.b', source: 'test' });
    await until(() => received.includes(id));
    const { status, facts, impairment } = adapter.health();
    expect({ status, ...facts }).toMatchObject({ status: 'ok', redis: 'away' });
    expect(impairment).toMatchObject({ what: 'redis', reason: 'Redis refuses (WRONGPASS).' });
    expect(JSON.stringify(adapter.health())).not.toContain(new URL(redis.url).password);
    const awaySince = facts['redisSince'];
    await tell(redis, ['ACL', 'SETUSER', 'bus', 'on', `>${new URL(redis.url).password}`, '&*', '~*', '+@all']);
    await until(() => adapter.health().facts['redis'] === 'up');
    expect(adapter.health().facts['redisSince']).not.toBe(awaySince);
    await bus.close();
  });

  it('uses no names but those that begin with the prefix, and keeps nothing', async () => {
    await using redis = await startRedis();
    await using database = await createTestDatabase();
    const adapter = redisBeside(postgres({ url: database.url, maxConnections: 2 }), {
      url: redis.url,
      keyPrefix: 'mine:',
    });
    await adapter.open();
    adapter.exchange!.receive('a process', () => {});
    await until(async () => (await ask(redis, ['PUBSUB', 'CHANNELS', '*'])).length === 2);
    const own = `mine:${adapter.storeId!()}:`;
    const places = await ask(redis, ['PUBSUB', 'CHANNELS', '*']);
    expect(places.toSorted()).toEqual([`${own}all`, `${own}to:a process`]);
    expect(await ask(redis, ['KEYS', '*'])).toEqual([]);
    await adapter.close();
  });

  /** If this failed, letters would go to processes of another store, and its members would be counted as ours. */
  it('keeps two databases apart that use one Redis with the same prefix', async () => {
    await using redis = await startRedis();
    await using database = await createTestDatabase();
    await using foreign = await createTestDatabase();
    const places = { here: database.url, besideIt: database.url, there: foreign.url, besideThat: foreign.url };
    const heard = new Map<string, string[]>();
    const hints = new Map<string, number>();
    const open = async ([name, url]: [string, string]) => {
      const adapter = beside(url, redis.url);
      await adapter.open();
      heard.set(name, []);
      adapter.exchange!.receive(name, (letter, from) => void heard.get(name)!.push(`${letter} of ${from}`));
      adapter.watch(() => void hints.set(name, (hints.get(name) ?? 0) + 1));
      return adapter;
    };
    const [here, besideIt, there, besideThat] = await Promise.all(Object.entries(places).map(open));
    expect(here!.storeId!()).toBe(besideIt!.storeId!());
    expect(here!.storeId!()).not.toBe(there!.storeId!());
    const says = async (adapter: EventBusAdapter, text: string, ear: string) => {
      await until(() => {
        adapter.exchange!.send(text);
        return heard.get(ear)!.some((said) => said.startsWith(text));
      });
    };
    // Everybody is there and listens.
    await says(here!, 'first', 'besideIt');
    await says(besideThat!, 'first', 'there');
    await until(async () => (await ask(redis, ['PUBSUB', 'CHANNELS', '*to:*'])).length === 4);
    await until(() => hints.get('there') !== undefined && hints.get('besideThat') !== undefined);
    const before = hints.get('there');
    for (let n = 1; n <= 3; n++) {
      const told = hints.get('besideIt') ?? 0;
      await here!.state.commit([{ kind: 'topic', key: 'a', value: n }]);
      await until(() => (hints.get('besideIt') ?? 0) > told);
    }
    await says(here!, 'here', 'besideIt');
    // What Redis took before this has arrived when this arrives.
    await says(besideThat!, 'there', 'there');
    for (const name of ['there', 'besideThat']) {
      expect(heard.get(name)!.filter((said) => /of (here|besideIt)$/.test(said))).toEqual([]);
    }
    for (const name of ['here', 'besideIt']) {
      expect(heard.get(name)!.filter((said) => /of (there|besideThat)$/.test(said))).toEqual([]);
    }
    expect(hints.get('there')).toBe(before);
    for (const adapter of [here, besideIt, there, besideThat]) await adapter!.close();
  });

  it('tells the others of changes once, and the server of PostgreSQL of none, while all are there', async () => {
    await using redis = await startRedis();
    await using database = await createTestDatabase();
    const [one, two, plain] = [
      beside(database.url, redis.url),
      beside(database.url, redis.url),
      postgres({ url: database.url }),
    ];
    for (const adapter of [one, two, plain]) await adapter.open();
    const hints = { one: 0, two: 0, plain: 0 };
    one.watch(() => hints.one++);
    two.watch(() => hints.two++);
    plain.watch(() => hints.plain++);
    await until(() => Object.values(hints).every((count) => count > 0));
    for (const [name, adapter] of [
      ['one', one],
      ['two', two],
    ] as const)
      adapter.exchange!.receive(name, () => {});
    const before = { ...hints };
    // The two find each other first; until then both ways are used.
    const append = () => one.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    await until(async () => {
      const { plain: silent, two: told } = hints;
      await append();
      await until(() => hints.two > told);
      return hints.plain === silent;
    });
    expect(hints.one).toBe(before.one);

    await redis.stop('killed');
    await until(() => [one, two].every((adapter) => adapter.health().facts['redis'] === 'away'));
    // Once because it is lost, and once more when everybody knows.
    await until(() => hints.one >= before.one + 2);
    const { plain: silent, two: told } = hints;
    await append();
    await until(() => hints.plain > silent && hints.two > told);
    for (const adapter of [one, two, plain]) await adapter.close();
  });
});

function beside(database: string, redis: string): EventBusAdapter {
  return redisBeside(postgres({ url: database, maxConnections: 2 }), { url: redis });
}

async function ask({ url }: PrivateServer, command: readonly string[]): Promise<string[]> {
  const client = createClient({ url });
  await client.connect();
  try {
    return (await client.sendCommand([...command])) as unknown as string[];
  } finally {
    client.destroy();
  }
}

async function tell(server: PrivateServer, command: readonly string[]): Promise<void> {
  await ask(server, command);
}

/** Of the bus. */
async function connectionsOf(server: PrivateServer): Promise<number> {
  const clients = String(await ask(server, ['CLIENT', 'LIST']));
  return clients.split('\n').filter((line) => line.includes('name=event-manager')).length;
}
