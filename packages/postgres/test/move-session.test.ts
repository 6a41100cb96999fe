import { memory, moveStore } from '@event-manager/core';
import { examineDatabase, postgres } from '@event-manager/postgres';
import { sampleEvent, sampleEvents } from '@event-manager/testing/conformance';
import { createTestDatabase } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { Databases } from './support/databases.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);

  it('makes who publishes wait while the store is being left, and go on when it is not', async () => {
    await using database = await databases.create();
    const { url } = database;
    const publisher = postgres({ url, queryTimeoutMs: 20_000 });
    await publisher.open();
    await publisher.store.append(sampleEvents(5));
    const leaver = postgres({ url });
    await leaver.openToLeave();
    const order: string[] = [];
    const waiting = publisher.store.append([sampleEvent(5)]).then(() => order.push('appended'));
    const committing = publisher.state
      .commit([{ kind: 'topic', key: 'a', value: 1 }])
      .then(() => order.push('committed'));
    // What is read is what was there, however long it takes.
    expect(await leaver.store.bounds()).toMatchObject([{ head: 5 }]);
    expect((await publisher.store.bounds())[0]!.head).toBe(5);
    expect(order).toEqual([]);
    await leaver.close();
    await Promise.all([waiting, committing]);
    await publisher.close();
  });

  it('refuses who published meanwhile once the store has moved, by all ways of changing it', async () => {
    await using database = await databases.create();
    const { url } = database;
    const publisher = postgres({ url, queryTimeoutMs: 20_000 });
    await publisher.open();
    await publisher.store.append(sampleEvents(5));
    const leaver = postgres({ url });
    const departure = await leaver.openToLeave();
    const waiting = publisher.store.append([sampleEvent(5)]);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'store_moved', kind: 'unavailable' });
    await departure.complete();
    await refused;
    const moved = { code: 'store_moved' };
    await expect(publisher.state.commit([{ kind: 'topic', key: 'a', value: 1 }])).rejects.toMatchObject(moved);
    await expect(publisher.store.trim([{ partition: 0, position: 2 }])).rejects.toMatchObject(moved);
    await leaver.close();
    await publisher.close();
  });

  it('lets one process at a time fill a store, and refuses who had it open before', async () => {
    await using database = await databases.create();
    const { url } = database;
    const early = postgres({ url });
    await early.open();
    const filler = postgres({ url });
    await filler.openToRestore({ first: 1, head: 3 });
    await expect(postgres({ url }).openToRestore({ first: 1, head: 3 })).rejects.toMatchObject({
      code: 'store_locked',
    });
    await expect(early.store.append([sampleEvent(1)])).rejects.toMatchObject({ code: 'store_incomplete' });
    await filler.close();
    await early.close();
  });

  /** If this failed, a store whose first server is gone could be used but not moved, reopened or looked at. */
  it('finds the host that serves among several', async () => {
    await using origin = await databases.create();
    await using place = await databases.create();
    const second = (url: string) => url.replace(new URL(url).host, `127.0.0.1:1,${new URL(url).host}`);
    const adapter = postgres({ url: origin.url });
    await adapter.open();
    await adapter.store.append(sampleEvents(5));
    await adapter.close();
    const [source, target] = [postgres({ url: second(origin.url) }), postgres({ url: second(place.url) })];
    expect(await moveStore({ source, target })).toMatchObject({ events: 5 });
    await postgres({ url: second(origin.url) }).stay();
    expect(await examineDatabase({ url: second(origin.url) })).toMatchObject({ isMade: true });
  });

  /** If this failed, what uses the copy and what uses the original would take each other for processes of one bus. */
  it('gives a copy an id of its own, and keeps the one of a store that was left, and taken up again', async () => {
    const idOf = async (url: string) => {
      const adapter = postgres({ url });
      expect(() => adapter.storeId!()).toThrow(expect.objectContaining({ code: 'closed' }));
      await adapter.open();
      const id = adapter.storeId!();
      await adapter.close();
      return id;
    };
    await using origin = await createTestDatabase({ server });
    await using place = await createTestDatabase({ server });
    const id = await idOf(origin.url);
    expect(await idOf(origin.url)).toBe(id);
    await moveStore({ source: postgres({ url: origin.url }), target: postgres({ url: place.url }) });
    const copied = await idOf(place.url);
    expect(copied).not.toBe(id);
    await postgres({ url: origin.url }).stay();
    expect([await idOf(origin.url), await idOf(place.url)]).toEqual([id, copied]);
  });

  it('keeps bodies that JSONB cannot hold, and grows as many partitions as it needs', async () => {
    await using database = await databases.create();
    const { url } = database;
    const source = memory();
    const restoration = await source.openToRestore({ first: 2_000_000, head: 3_000_001 });
    const at = (position: number, payload: string) => ({
      ...sampleEvent(position, { payload }),
      position,
      recordedAtMs: 1_767_225_600_000,
    });
    await restoration.write([at(2_000_000, '\u0000'), at(3_000_000, '\ud800')]);
    await restoration.complete();
    await source.close();
    await moveStore({ source, target: postgres({ url }) });
    const adapter = postgres({ url });
    await adapter.open();
    const [result] = await adapter.store.append([sampleEvent(1)]);
    expect(result).toMatchObject({ status: 'stored', place: { position: 3_000_002 } });
    await adapter.close();
  });
});
