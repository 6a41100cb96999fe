import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EventBusAdapter,
  EventManager,
  EventManagerError,
  type Runtime,
  systemRuntime,
} from '@event-manager/core';
import { redis } from '@event-manager/redis';
import { FaultProxy } from '@event-manager/testing';
import { allStored, sampleEvents } from '@event-manager/testing/conformance';
import { missingServer, startRedis } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';
import { readAll } from '../../packages/postgres/test/support/read-all.ts';
import { askRedis } from '../../packages/redis/test/support/ask-redis.ts';
import { until } from '../../packages/redis/test/support/until.ts';

const missing = await missingServer('redis');
const COMMAND_TIMEOUT_MS = 1_500;
const LOOKS_EVERY_MS = 5_000;
const KIB = 1_024;

async function opened(url: string): Promise<EventBusAdapter> {
  const adapter = redis({ url, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  await adapter.open();
  return adapter;
}

describe.skipIf(missing !== undefined)('a Redis that does not do all of it', () => {
  /** If debts could not be settled when the memory is full, nothing could ever be removed, and it would stay full. */
  it('takes no event when its memory is full, settles what is owed, and takes events again when old ones are removed', async () => {
    await using server = await startRedis();
    const adapter = await opened(server.url);
    const places = allStored(await adapter.store.append(sampleEvents(50, 0, { payload: 'x'.repeat(20 * KIB) })));
    const [lease] = await adapter.state.acquire(['s'], { owner: 'a', ttlMs: 60_000 });
    await askRedis(server.url, 'CONFIG', 'SET', 'maxmemory', '1kb');
    const full = { code: 'disk_full', kind: 'unavailable', retryable: true, message: 'The memory of Redis is full.' };
    await expect(adapter.store.append(sampleEvents(1, 100))).rejects.toMatchObject(full);
    expect(adapter.health()).toMatchObject({ status: 'full', reason: full.message });
    const declaring = adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    const settling = adapter.state.commit([{ kind: 'progress', key: 's', value: 1, lease: lease! }]);
    await expect(declaring).rejects.toMatchObject(full);
    expect(await settling).toBeGreaterThan(0);
    expect(await adapter.state.renew([lease!], { ttlMs: 60_000 })).toEqual([]);
    expect(await adapter.state.acquire(['t'], { owner: 'a', ttlMs: 60_000 })).toHaveLength(1);
    expect(await adapter.state.get('topic', ['a'])).toEqual([undefined]);

    expect(await adapter.store.trim([places.at(-1)!.place])).toHaveLength(1);
    await until(async () => Number(await askRedis(server.url, 'XLEN', 'dadms:events:log')) === 0, 'the entries went');
    expect(await askRedis(server.url, 'HLEN', 'dadms:events:ids')).toBe(0);
    await askRedis(server.url, 'CONFIG', 'SET', 'maxmemory', '0');
    allStored(await adapter.store.append(sampleEvents(1, 100)));
    expect((await readAll(adapter.store)).map(({ place }) => place.position)).toEqual([places.length + 1]);
    await adapter.close();
  });

  /** If nobody could connect to it, nobody could remove anything, and it would stay full. */
  it('takes settlements and trims also when it is started anew with a full memory', async () => {
    await using server = await startRedis();
    const adapter = await opened(server.url);
    const [first] = allStored(await adapter.store.append(sampleEvents(5)));
    await askRedis(server.url, 'CONFIG', 'SET', 'maxmemory', '1kb');
    await askRedis(server.url, 'CONFIG', 'REWRITE');
    await server.stop('killed');
    await server.start();
    await expect(adapter.store.append(sampleEvents(1, 5))).rejects.toMatchObject({ code: 'disk_full' });
    expect(await adapter.state.commit([{ kind: 'progress', key: 's', value: 1 }])).toBeGreaterThan(0);
    expect(await adapter.store.trim([first!.place])).toHaveLength(1);
    // What is known takes no room.
    expect(await adapter.store.append(sampleEvents(1, 1))).toMatchObject([{ status: 'duplicate' }]);
    await adapter.close();
    // Also for whoever comes later.
    const later = await opened(server.url);
    expect(await later.store.bounds()).toMatchObject([{ first: 2, head: 5 }]);
    await later.close();
  });

  it('is waited for while it is a replica or refuses writes', async () => {
    await using server = await startRedis();
    const adapter = await opened(server.url);
    await adapter.store.append(sampleEvents(1));
    const away = { code: 'store_unavailable', retryable: true };

    await askRedis(server.url, 'CONFIG', 'SET', 'min-replicas-to-write', '1');
    await expect(adapter.store.append(sampleEvents(1, 1))).rejects.toMatchObject(away);
    expect(adapter.health()).toMatchObject({ status: 'unavailable', reason: 'Redis refuses (NOREPLICAS).' });
    await askRedis(server.url, 'CONFIG', 'SET', 'min-replicas-to-write', '0');
    allStored(await adapter.store.append(sampleEvents(1, 1)));

    await askRedis(server.url, 'REPLICAOF', '127.0.0.1', '1');
    await expect(adapter.store.append(sampleEvents(1, 2))).rejects.toMatchObject(away);
    await askRedis(server.url, 'REPLICAOF', 'NO', 'ONE');
    allStored(await adapter.store.append(sampleEvents(1, 2)));
    expect(await readAll(adapter.store)).toHaveLength(3);
    await adapter.close();
  });

  it('is refused by a name and with the remedy when it would throw keys away', async () => {
    await using server = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
    await expect(opened(server.url)).rejects.toMatchObject({
      code: 'invalid_setting',
      message: 'maxmemory-policy of Redis is allkeys-lru; it must be noeviction.',
      details: { setting: 'maxmemory-policy' },
    });
    await askRedis(server.url, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    const adapter = await opened(server.url);
    // Set so while the bus runs it is found at the next connection, and waited for.
    await askRedis(server.url, 'CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
    await askRedis(server.url, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect(adapter.store.append(sampleEvents(1))).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('volatile-ttl'),
    });
    await askRedis(server.url, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    allStored(await adapter.store.append(sampleEvents(1)));
    await adapter.close();
  });

  it.each([
    [{ appendfsync: 'always' }, 'synced'],
    [{ appendfsync: 'everysec' }, 'relaxed'],
    [{ appendonly: 'no' }, 'relaxed'],
    [{ 'no-appendfsync-on-rewrite': 'yes' }, 'relaxed'],
    [{ 'rename-command': 'CONFIG ""' }, 'relaxed'],
  ] as const)('is as durable as its settings %o say: %s', async (settings, durability) => {
    await using server = await startRedis({ settings });
    const adapter = await opened(server.url);
    expect(adapter.supports.durability).toBe(durability);
    expect(Object.isFrozen(adapter.supports)).toBe(true);
    expect(adapter.health().facts).toMatchObject({ durability });
    const isHidden = 'rename-command' in settings;
    expect(adapter.health().warnings ?? []).toHaveLength(isHidden ? 1 : 0);
    await adapter.close();
    const synced = redis({ url: server.url, durability: 'synced' });
    const opening = synced.open().then(() => synced.close());
    if (durability === 'synced') await opening;
    else {
      const refused = { code: 'invalid_setting', message: expect.stringContaining('appendfsync always') };
      await expect(opening).rejects.toMatchObject(refused);
    }
  });

  it('keeps what it promised: what was synced when it began is not taken by a server that syncs later', async () => {
    await using server = await startRedis();
    const adapter = await opened(server.url);
    await askRedis(server.url, 'CONFIG', 'SET', 'appendfsync', 'everysec');
    await askRedis(server.url, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect(adapter.store.append(sampleEvents(1))).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('appendfsync always'),
    });
    expect(adapter.supports.durability).toBe('synced');
    await askRedis(server.url, 'CONFIG', 'SET', 'appendfsync', 'always');
    allStored(await adapter.store.append(sampleEvents(1)));
    await adapter.close();
  });

  /** If only new connections were looked at, a bus would acknowledge for weeks what is not on the disk. */
  it.each([
    ['appendfsync', 'everysec', 'always'],
    ['maxmemory-policy', 'allkeys-lru', 'noeviction'],
  ])('is left within seconds when %s is set to %s while it runs', async (setting, wrong, right) => {
    await using server = await startRedis();
    const { timers } = systemRuntime;
    const looksSooner: Runtime['timers'] = {
      ...timers,
      after: (ms, ...rest) => timers.after(ms === LOOKS_EVERY_MS ? 10 : ms, ...rest),
    };
    const runtime = { ...systemRuntime, timers: looksSooner };
    const adapter = redis({ url: server.url, commandTimeoutMs: COMMAND_TIMEOUT_MS, runtime });
    await adapter.open();
    allStored(await adapter.store.append(sampleEvents(1)));
    await askRedis(server.url, 'CONFIG', 'SET', setting, wrong);
    await until(() => adapter.health().facts['losses'] === 1, 'the server is left');
    await expect(adapter.store.append(sampleEvents(1, 1))).rejects.toMatchObject({ code: 'store_unavailable' });
    await askRedis(server.url, 'CONFIG', 'SET', setting, right);
    allStored(await adapter.store.append(sampleEvents(1, 1)));
    await adapter.close();
  });

  /** If what only the last words are for were waited for, a process would not end while its server does not answer. */
  it('is not waited for by who closes and only has to say goodbye', { timeout: 20_000 }, async () => {
    await using server = await startRedis();
    await using way = await FaultProxy.start(server.url);
    const adapter = redis({ url: way.url, commandTimeoutMs: 60_000 });
    await adapter.open();
    await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    way.set({ blackHole: true });
    await adapter.close();
    way.heal();
  });

  /** If it were, a program that fails while it starts would not end, and would look alive at the server. */
  it('is not held by who closes while it is being opened', async () => {
    await using server = await startRedis();
    for (const waits of [true, false]) {
      const adapter = redis({ url: server.url });
      const opening = adapter.open().catch(() => {});
      if (waits) await until(async () => (await connectionsTo(server)) > 0, 'it connects');
      await adapter.close();
      await opening;
      await until(async () => (await connectionsTo(server)) === 0, 'nobody is connected');
      await expect(adapter.store.bounds()).rejects.toMatchObject({ code: 'closed' });
    }
  });

  /** If it were tried, the names of a store would lie in many slots, and a script would fail at the first of them. */
  it('is refused when it is a cluster', async () => {
    await using server = await startRedis({ settings: { 'cluster-enabled': 'yes' } });
    const refused = { code: 'invalid_setting', message: 'This Redis is a cluster: a store lies on one server.' };
    await expect(redis({ url: server.url }).open()).rejects.toMatchObject(refused);
  });

  it('says so when it has no such database, and is not given up for it', async () => {
    await using server = await startRedis({ settings: { databases: '4' } });
    const { hostname: host, port, password } = new URL(server.url);
    const adapter = redis({ host, port: Number(port), password, db: 4 });
    const refused = { code: 'invalid_setting', message: 'Redis has no database of this number.' };
    await expect(adapter.open()).rejects.toMatchObject(refused);
    expect(adapter.health().status).not.toBe('failed');
  });

  /** If it were found in the midst of a script, half of that would have been done. */
  it('is not opened by who may not do all of it, and told what is missing', async () => {
    await using server = await startRedis();
    const rights = ['~our:*', '&our:*', '+@all', '-zadd', '-xtrim'];
    await askRedis(server.url, 'ACL', 'SETUSER', 'bus', 'on', '>word', ...rights);
    const { hostname: host, port } = new URL(server.url);
    const adapter = redis({ host, port: Number(port), username: 'bus', password: 'word', keyPrefix: 'our:' });
    const refused = { code: 'invalid_setting', message: 'Redis does not let this user run XTRIM, ZADD.' };
    await expect(adapter.open()).rejects.toMatchObject(refused);
    expect(await askRedis(server.url, 'KEYS', '*')).toEqual([]);
  });

  it('does not know a wrong password, says so once, and no secret is in what is told', async () => {
    await using server = await startRedis();
    const { password } = new URL(server.url);
    const error: unknown = await opened(server.url.replace(password, 'hidden-word')).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'invalid_setting', message: 'Redis refuses (WRONGPASS).' });
    expect(JSON.stringify(error) + String(error)).not.toContain('hidden-word');
    expect(error).toBeInstanceOf(EventManagerError);
  });

  it('works with the rights that its page names, and no more', async () => {
    await using server = await startRedis();
    const rights = '+@read +@write +@scripting +@connection +@pubsub +role +info +config|get +time'.split(' ');
    expect(readFileSync(join(import.meta.dirname, '../../packages/redis/README.md'), 'utf8')).toContain(
      rights.join(' '),
    );
    await askRedis(server.url, 'ACL', 'SETUSER', 'bus', 'on', '>word', 'resetchannels', '~our:*', '&our:*', ...rights);
    const { hostname: host, port } = new URL(server.url);
    const parts = { host, port: Number(port), username: 'bus', password: 'word', keyPrefix: 'our:' };
    const adapters = [redis(parts), redis(parts)];
    const events = adapters.map((adapter) => new EventManager({ adapter }));
    const received: string[] = [];
    await events[0]!.subscribe({ topic: '#', name: 'all', handler: ({ id }) => void received.push(id) });
    const { id } = await events[1]!.publish({ type: 'a.b', source: 'test' });
    await until(() => received.includes(id));
    expect(adapters.map((adapter) => adapter.health())).toMatchObject([
      { status: 'ok', facts: { durability: 'synced', listening: true } },
      { status: 'ok', facts: { durability: 'synced', listening: true } },
    ]);
    expect(await events[1]!.getEvents({ types: ['a.b'] })).toHaveLength(1);
    for (const each of events) await each.close();
  });

  it('has databases that know nothing of each other', async () => {
    await using server = await startRedis();
    const { hostname: host, port, password } = new URL(server.url);
    const parts = { host, port: Number(port), password };
    const [first, second] = [redis({ ...parts, db: 0 }), redis({ ...parts, db: 7 })];
    await first.open();
    await second.open();
    await first.store.append(sampleEvents(3));
    expect(await second.store.bounds()).toMatchObject([{ head: 0 }]);
    expect(first.storeId()).not.toBe(second.storeId());
    await first.close();
    await second.close();
  });
});

/** Of buses. */
async function connectionsTo({ url }: { url: string }): Promise<number> {
  return String(await askRedis(url, 'CLIENT', 'LIST')).split('name=event-manager ').length - 1;
}
