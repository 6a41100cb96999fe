import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { redis } from '@event-manager/redis';
import { FaultProxy } from '@event-manager/testing';
import { allStored, sampleEvents, sampleId } from '@event-manager/testing/conformance';
import { missingServer, type PrivateServer, startRedis } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';
import { readAll } from '../../packages/postgres/test/support/read-all.ts';
import { askRedis } from '../../packages/redis/test/support/ask-redis.ts';
import { until } from '../../packages/redis/test/support/until.ts';

const missing = await missingServer('redis');
const MANY = { limit: 1_000, bytesMax: 1 << 24 };

const positionsOf = (places: readonly { readonly place: { readonly position: number } }[]) =>
  places.map(({ place }) => place.position);

/** If these failed, a server that lost what it had acknowledged would be believed, and new events would hide behind old cursors. */
describe.skipIf(missing !== undefined)('a Redis that lost something', () => {
  it('is told of when its file ends earlier, and gives no position twice', async () => {
    await using server = await startRedis({ settings: { 'aof-load-truncated': 'yes' } });
    const adapter = redis({ url: server.url });
    const other = redis({ url: server.url });
    await adapter.open();
    await other.open();
    allStored(await adapter.store.append(sampleEvents(5)));
    const end = await endOfFile(server);
    const gone = positionsOf(allStored(await adapter.store.append(sampleEvents(5, 5))));
    await other.store.bounds();

    await server.stop('killed');
    await truncate(end.file, end.bytes);
    await server.start();
    const [next] = allStored(await other.store.append(sampleEvents(1, 100)));
    expect(next!.place.position).toBeGreaterThan(gone.at(-1)! + 1_000);
    for (const each of [adapter, other]) {
      const { records, lost, scannedTo } = await each.store.read(0, 0, MANY);
      expect(records.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 100].map(sampleId));
      const range = { from: gone[0], through: gone.at(-1), cause: 'damaged' };
      expect(lost).toEqual(range);
      expect(scannedTo).toBe(next!.place.position);
      expect(each.health()).toMatchObject({ status: 'ok', lost: [range], facts: { branch: expect.any(Number) } });
    }
    expect(await adapter.store.bounds()).toMatchObject([{ head: next!.place.position, events: 6 }]);
    // Who lost an event may publish it again.
    expect((await adapter.store.append(sampleEvents(1, 5)))[0]!.status).toBe('stored');
    // What was trimmed is not held against anybody any more.
    await adapter.store.trim([next!.place]);
    await adapter.close();
    const later = redis({ url: server.url });
    await later.open();
    expect(later.health().lost).toBeUndefined();
    await later.close();
    await other.close();
  });

  it('moves no revision and no token of a lease back', async () => {
    await using server = await startRedis({ settings: { 'aof-load-truncated': 'yes' } });
    const adapter = redis({ url: server.url });
    await adapter.open();
    await adapter.store.append(sampleEvents(1));
    const end = await endOfFile(server);
    await adapter.store.append(sampleEvents(1, 1));
    const revision = await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    const [lease] = await adapter.state.acquire(['r'], { owner: 'a', ttlMs: 60_000 });
    await server.stop('killed');
    await truncate(end.file, end.bytes);
    await server.start();
    const [again] = await adapter.state.acquire(['r'], { owner: 'b', ttlMs: 60_000 });
    expect(again!.token).toBeGreaterThan(lease!.token);
    expect(await adapter.state.commit([{ kind: 'topic', key: 'a', value: 2, ifRevision: 0 }])).toBeGreaterThan(
      revision,
    );
    await adapter.close();
  });

  it('is told of when a copy is promoted that had not got everything', async () => {
    await using server = await startRedis();
    await using copy = await startRedis();
    await using way = await FaultProxy.start(server.url);
    const copyUrl = await follows(copy, server);
    const adapter = redis({ url: way.url });
    await adapter.open();
    await adapter.store.append(sampleEvents(3));
    await until(async () => Number(await askRedis(copyUrl, 'XLEN', 'dadms:events:log')) === 3, 'the copy has it');
    await askRedis(copyUrl, 'CONFIG', 'SET', 'masterauth', 'wrong');
    await askRedis(copyUrl, 'CLIENT', 'KILL', 'TYPE', 'master');
    const gone = positionsOf(allStored(await adapter.store.append(sampleEvents(2, 3))));
    way.turnTo(copyUrl);
    way.reset();
    // Until it is promoted it is none.
    await until(
      () => adapter.health().facts['lastError'] === 'store_unavailable' || adapter.health().facts['losses'] !== 0,
    );
    await askRedis(copyUrl, 'REPLICAOF', 'NO', 'ONE');
    const [next] = allStored(await adapter.store.append(sampleEvents(1, 10)));
    expect(next!.place.position).toBeGreaterThan(gone.at(-1)! + 1_000);
    expect((await readAll(adapter.store)).map(({ id }) => id)).toEqual([0, 1, 2, 10].map(sampleId));
    expect(adapter.health().lost).toEqual([{ from: gone[0], through: gone.at(-1), cause: 'damaged' }]);
    await adapter.close();
  });

  /** If it were taken for the server that it was, since it ran all the time, positions that cursors know would be given a second time. */
  it('is told of when a server was made a copy of one that lacked something, and is a primary again', async () => {
    await using server = await startRedis();
    await using copy = await startRedis();
    const copyUrl = await follows(copy, server);
    const append = async (from: number) => {
      const adapter = redis({ url: server.url });
      await adapter.open();
      const stored = allStored(await adapter.store.append(sampleEvents(3, from)));
      await adapter.close();
      return positionsOf(stored);
    };
    await append(0);
    await until(async () => Number(await askRedis(copyUrl, 'XLEN', 'dadms:events:log')) === 3, 'the copy has it');
    await askRedis(copyUrl, 'REPLICAOF', 'NO', 'ONE');
    const gone = await append(3);
    await askRedis(server.url, 'REPLICAOF', '127.0.0.1', new URL(copy.url).port);
    await until(async () => Number(await askRedis(server.url, 'XLEN', 'dadms:events:log')) === 3, 'it follows');
    await askRedis(server.url, 'REPLICAOF', 'NO', 'ONE');
    // Nobody is left who knows what was there.
    expect((await append(6))[0]).toBeGreaterThan(gone.at(-1)! + 1_000);
  });

  /** After an hour without copies of its own, a server that was promoted forgets that it was one. */
  it('is told of also when nobody came until the server had forgotten that it was a copy', async () => {
    await using server = await startRedis();
    await using copy = await startRedis();
    const copyUrl = await follows(copy, server);
    const append = async (url: string, from: number) => {
      const adapter = redis({ url });
      await adapter.open();
      const stored = allStored(await adapter.store.append(sampleEvents(3, from)));
      await adapter.close();
      return positionsOf(stored);
    };
    await append(server.url, 0);
    await until(async () => Number(await askRedis(copyUrl, 'XLEN', 'dadms:events:log')) === 3, 'the copy has it');
    await askRedis(copyUrl, 'CONFIG', 'SET', 'masterauth', 'wrong', 'repl-backlog-ttl', '1');
    await askRedis(copyUrl, 'CLIENT', 'KILL', 'TYPE', 'master');
    const gone = await append(server.url, 3);
    await askRedis(copyUrl, 'REPLICAOF', 'NO', 'ONE');
    const replication = async () => String(await askRedis(copyUrl, 'INFO', 'replication'));
    await until(async () => /master_replid2:0{40}/.test(await replication()), 'it has forgotten');
    expect((await append(copyUrl, 6))[0]).toBeGreaterThan(gone.at(-1)! + 1_000);
  });

  it.each([
    ['FLUSHALL', {}, async (server: PrivateServer): Promise<void> => void (await askRedis(server.url, 'FLUSHALL'))],
    [
      'a kill without a file',
      { appendonly: 'no' },
      async (server: PrivateServer): Promise<void> => {
        await server.stop('killed');
        await server.start();
      },
    ],
  ] as const)(
    'stops everybody who knew what was there after %s, until they are started anew',
    async (_, settings, lose) => {
      await using server = await startRedis({ settings });
      const adapter = redis({ url: server.url });
      const events = new EventManager({ adapter });
      const received: string[] = [];
      await events.subscribe({ topic: '#', name: 'all', handler: ({ id }) => void received.push(id) });
      const { id } = await events.publish({ type: 'a.b', source: 'test' });
      await until(() => received.includes(id));
      await lose(server);
      // Whoever finds it out first: a publication, or the engine, which then takes none.
      const refused = { code: 'store_failed' };
      await expect(events.publish({ type: 'a.b', source: 'test' })).rejects.toMatchObject(refused);
      expect(adapter.health()).toMatchObject({ status: 'failed', reason: expect.stringContaining('is gone') });
      const fresh = redis({ url: server.url });
      await fresh.open();
      expect(await fresh.store.bounds()).toMatchObject([{ first: 1, head: 0 }]);
      // The new store is not that of who knew the old one.
      await expect(events.publish({ type: 'a.b', source: 'test' })).rejects.toMatchObject(refused);
      expect(await fresh.store.bounds()).toMatchObject([{ first: 1, head: 0 }]);
      await fresh.close();
      await events.close().catch(() => {});
    },
  );
});

/** Makes one server a copy of the other; both have one password then, so that either can follow the other. */
async function follows(copy: PrivateServer, server: PrivateServer): Promise<string> {
  const { password, port } = new URL(server.url);
  for (const { url } of [copy, server]) {
    await askRedis(url, 'CONFIG', 'SET', 'masterauth', password, 'repl-diskless-sync-delay', '0');
  }
  await askRedis(copy.url, 'REPLICAOF', '127.0.0.1', port);
  await askRedis(copy.url, 'CONFIG', 'SET', 'requirepass', password);
  return server.url.replace(port, new URL(copy.url).port);
}

/** Where the append-only file ends now. */
async function endOfFile(server: PrivateServer): Promise<{ file: string; bytes: number }> {
  const folder = join(server.folder, 'appendonlydir');
  const name = (await readdir(folder)).find((each) => each.endsWith('.incr.aof'))!;
  const file = join(folder, name);
  return { file, bytes: (await readFile(file)).length };
}
