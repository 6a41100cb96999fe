import { allStored, sampleEvent, sampleEvents } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { withAdapter } from '../support/on-server.ts';
import { withPrivateRedis, withRedis } from '../support/with-redis.ts';

const MANY = { limit: 100, bytesMax: 1 << 20 };

await withRedis(() => {
  /** If it left an id, the event would be told as a duplicate and never come; if an entry, nobody could append behind it. */
  it('leaves nothing behind when the server refuses one of its commands', async () => {
    await using keys = await createTestKeys();
    await askRedis(keys.url, 'SET', `${keys.keyPrefix}flow:taken`, 'by another program');
    const [first, ...others] = [sampleEvent(0), sampleEvent(1, { correlationId: 'taken' }), sampleEvent(2)];
    await withAdapter(keys, async ({ store }) => {
      const refused = { code: 'store_failed', message: expect.stringContaining('another program') };
      await expect(store.append([first!, ...others])).rejects.toMatchObject(refused);
    });
    await withAdapter(keys, async ({ store }) => {
      expect((await store.bounds())[0]).toMatchObject({ head: 0, events: 0 });
      expect(allStored(await store.append([first!, sampleEvent(3)])).map(({ previous }) => previous)).toEqual([0, 1]);
      await askRedis(keys.url, 'DEL', `${keys.keyPrefix}flow:taken`);
      expect(allStored(await store.append(others)).map(({ previous }) => previous)).toEqual([2, 3]);
      const { records } = await store.read(0, 0, MANY);
      expect(records.map(({ id }) => id)).toEqual([first!.id, sampleEvent(3).id, ...others.map(({ id }) => id)]);
    });
  });

  /** If a position were written with an exponent, or a prefix taken for a pattern, events would be lost out of sight. */
  it('counts as far as numbers are exact, under any prefix', async () => {
    await using keys = await createTestKeys();
    const odd = { url: keys.url, keyPrefix: `${keys.keyPrefix}a*[b]?{c}%z^$:` };
    await withAdapter(odd, async () => {});
    // The driver is exact but for the last few dozen.
    const head = Number.MAX_SAFE_INTEGER - 1_000;
    await askRedis(keys.url, 'HSET', `${odd.keyPrefix}head`, 'head', String(head), 'trimmed', String(head));
    await withAdapter(odd, async ({ store }) => {
      const events = sampleEvents(3, 0, { correlationId: 'a%b*' });
      const positions = [head + 1, head + 2, head + 3];
      expect(allStored(await store.append(events)).map(({ place }) => place.position)).toEqual(positions);
      expect((await store.read(0, head, MANY)).records.map(({ place }) => place.position)).toEqual(positions);
      const found = await store.find({ correlationId: 'a%b*' }, { limit: 9, direction: 'backward', budgetMs: 5_000 });
      expect(found.records.map(({ place }) => place.position)).toEqual(positions.toReversed());
      expect(await store.trim([{ partition: 0, position: head + 2 }])).toEqual([
        { from: head + 1, through: head + 2, cause: 'trimmed' },
      ]);
      expect(await store.bounds()).toMatchObject([{ first: head + 3, head: head + 3, events: 1 }]);
    });
  });
});

await withPrivateRedis((server) => {
  /** If one script took all of it, everybody would wait for as long, and from some 150,000 events on the server would end the connection. */
  it('is one of several when a call brings more events than one may take', async () => {
    const events = sampleEvents(2_500);
    await withAdapter({ url: server.url }, async ({ store }) => {
      await askRedis(server.url, 'CONFIG', 'RESETSTAT');
      const results = await store.append([...events, events[0]!, sampleEvent(1, { payload: 'another' })]);
      const stats = String(await askRedis(server.url, 'INFO', 'commandstats'));
      expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])).toBeGreaterThanOrEqual(3);
      const stored = allStored(results.slice(0, events.length));
      expect(stored.map(({ previous }) => previous)).toEqual(events.map((_, at) => at));
      expect(results.slice(events.length)).toEqual([
        { status: 'duplicate', place: stored[0]!.place },
        { status: 'conflict', place: stored[1]!.place },
      ]);
      expect(await store.append([])).toEqual([]);
    });
  });
});
