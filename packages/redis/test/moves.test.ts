import { memory, moveStore } from '@event-manager/core';
import { redis } from '@event-manager/redis';
import { FaultProxy } from '@event-manager/testing';
import { movesConformance, sampleEvent, sampleEvents } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { expect, it, onTestFinished } from 'vitest';
import { askRedis } from './support/ask-redis.ts';
import { until } from './support/until.ts';
import { withRedis } from './support/with-redis.ts';

const COUNT = 5_000;
const HELD = { code: 'store_unavailable', message: 'The store is being moved to another place.' };

async function placeOfTest() {
  const { url, keyPrefix, remove } = await createTestKeys();
  onTestFinished(remove);
  const adapter = (more: Parameters<typeof redis>[0] = {}) => {
    const made = redis({ url, keyPrefix, ...more });
    onTestFinished(() => made.close());
    return made;
  };
  const names = async () => ((await askRedis(url, 'KEYS', `${keyPrefix}*`)) as string[]).toSorted();
  return { url, keyPrefix, adapter, names, ask: (...command: string[]) => askRedis(url, ...command) };
}

await withRedis(() => {
  movesConformance({
    name: 'redis',
    async place() {
      const { url, keyPrefix, remove } = await createTestKeys();
      return { adapter: () => redis({ url, keyPrefix }), dispose: remove };
    },
  });

  it('makes who publishes wait while the store is being left, and go on when it is not', async () => {
    const { adapter } = await placeOfTest();
    const publisher = adapter({ commandTimeoutMs: 20_000 });
    await publisher.open();
    await publisher.store.append(sampleEvents(5));
    const leaver = adapter();
    await leaver.openToLeave();
    const order: string[] = [];
    const waiting = publisher.store.append([sampleEvent(5)]).then(() => order.push('appended'));
    const committing = publisher.state
      .commit([{ kind: 'topic', key: 'a', value: 1 }])
      .then(() => order.push('committed'));
    // What is read is what was there, however long it takes.
    await until(() => Number(publisher.health().errors?.['store_unavailable']) >= 4, 'both are tried again');
    expect(await leaver.store.bounds()).toMatchObject([{ head: 5 }]);
    expect(order).toEqual([]);
    await expect(adapter().openToLeave()).rejects.toMatchObject({ code: 'store_locked' });
    await leaver.close();
    await Promise.all([waiting, committing]);
  });

  it('refuses who published meanwhile once the store has moved, by all ways of changing it', async () => {
    const { adapter, keyPrefix, ask } = await placeOfTest();
    const publisher = adapter({ commandTimeoutMs: 20_000 });
    await publisher.open();
    await publisher.store.append(sampleEvents(5));
    const leaver = adapter();
    const departure = await leaver.openToLeave();
    const moved = { code: 'store_moved', kind: 'unavailable' };
    const refused = expect(publisher.store.append([sampleEvent(5)])).rejects.toMatchObject(moved);
    await departure.complete();
    await refused;
    await expect(publisher.state.commit([{ kind: 'topic', key: 'a', value: 1 }])).rejects.toMatchObject(moved);
    await expect(publisher.store.trim([{ partition: 0, position: 2 }])).rejects.toMatchObject(moved);
    // Told again when the answer was lost, however long that took.
    await ask('HSET', `${keyPrefix}head`, 'held', '1');
    await departure.complete();
  });

  /** If it were otherwise, events would be in neither place: a mover that slept marks what others have gone on with. */
  it('marks nothing as moved that was not held all the time', async () => {
    const { adapter, keyPrefix, ask } = await placeOfTest();
    const publisher = adapter({ commandTimeoutMs: 500 });
    await publisher.open();
    await publisher.store.append(sampleEvents(5));
    const leaver = adapter();
    const departure = await leaver.openToLeave();
    await expect(publisher.store.append([sampleEvent(5)])).rejects.toMatchObject(HELD);
    // As if no word had come from it for as long as it is believed to be there.
    await ask('HSET', `${keyPrefix}head`, 'held', '1');
    await publisher.store.append([sampleEvent(5)]);
    await expect(departure.complete()).rejects.toMatchObject({ code: 'store_unavailable' });
    // Nor by holding it again.
    const other = adapter();
    await (await other.openToLeave()).complete();
    await expect(departure.complete()).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('is held no longer than its mover lives, also when the clock of the server is set back', async () => {
    const { adapter, keyPrefix, ask } = await placeOfTest();
    const publisher = adapter();
    await publisher.open();
    const leaver = adapter();
    await leaver.openToLeave();
    await ask('HSET', `${keyPrefix}head`, 'held', String(Date.now() + 3_600_000));
    await publisher.store.append([sampleEvent(1)]);
  });

  it('refuses who had an empty store open before, and gives the copy an id of its own', async () => {
    const { adapter, names, keyPrefix } = await placeOfTest();
    const early = adapter();
    await early.open();
    const source = memory();
    await source.open();
    await source.store.append(sampleEvents(3, 0, { correlationId: 'flow' }));
    await source.close();
    await moveStore({ source, target: adapter() });
    await expect(early.store.append([sampleEvent(9)])).rejects.toMatchObject({ code: 'store_failed' });
    const later = adapter();
    await later.open();
    expect(later.storeId()).not.toBe(early.storeId());
    await later.close();
    expect(await names()).toEqual(['flow:flow', 'head', 'ids', 'log'].map((name) => keyPrefix + name));
  });

  /** If something of it stayed, searches would find events that are not there, or ids would count as known. */
  it('leaves nothing of an attempt that was interrupted', async () => {
    const { adapter, names, keyPrefix } = await placeOfTest();
    const first = adapter();
    const restoration = await first.openToRestore({ first: 1, head: 3_000 });
    const events = sampleEvents(2_500, 0, { correlationId: 'stale', causationId: 'stale' });
    await restoration.write(events.map((event, at) => ({ ...event, position: at + 1, recordedAtMs: 1 })));
    await first.state.commit([{ kind: 'topic', key: 'stale', value: 1 }]);
    await first.close();
    await moveStore({ source: memory(), target: adapter() });
    expect(await names()).toEqual([`${keyPrefix}head`]);
  });

  /** If a step that is asked for again did its work twice or not at all, the copy would differ or the move never end. */
  it('goes on when answers are lost again and again, in both directions', async () => {
    const { url, keyPrefix, adapter } = await placeOfTest();
    await using proxy = await FaultProxy.start(url);
    const source = memory();
    await source.open();
    for (let from = 0; from < COUNT; from += 500) await source.store.append(sampleEvents(500, from));
    await source.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    await source.close();
    let answers = 0;
    // What every second step of a move answers; by that time the server has done what was asked.
    proxy.cutWhen((direction, bytes) => {
      const isAnswer = direction === 'down' && (/^:[01]\r\n$/.test(bytes.toString()) || bytes.includes('[{"'));
      return isAnswer && ++answers % 2 === 1;
    });
    const cut = () => redis({ url: proxy.url, keyPrefix, commandTimeoutMs: 20_000 });
    const there = await moveStore({ source, target: cut() });
    expect(there).toMatchObject({ events: COUNT, records: 1 });
    expect(answers).toBeGreaterThanOrEqual(2 * (COUNT / 1_024));
    const before = answers;
    const back = await moveStore({ source: cut(), target: memory() });
    expect(back.checksum).toBe(there.checksum);
    expect(answers).toBeGreaterThan(before + 1);
    await expect(adapter().open()).rejects.toMatchObject({ code: 'store_moved' });
  });
});
