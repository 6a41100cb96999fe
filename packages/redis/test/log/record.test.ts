import { redis } from '@event-manager/redis';
import { allStored, sampleEvents, sampleId } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { withRedis } from '../support/with-redis.ts';

await withRedis((server) => {
  /** The engine counts the bodies that it has in memory, and would have a hundred times as much. */
  it('holds a body and not the answer that it came in', async () => {
    await using keys = await createTestKeys();
    const adapter = redis({ url: server.url, keyPrefix: keys.keyPrefix });
    await adapter.open();
    await adapter.store.append(sampleEvents(50));
    const { records } = await adapter.store.read(0, 0, { limit: 50, bytesMax: 1 << 20 });
    const [found] = await adapter.store.get([sampleId(7)]);
    for (const { body } of [...records, found!]) expect(body.buffer.byteLength).toBe(body.length);
    await adapter.close();
  });

  it('does not take for an event what somebody else wrote into the log', async () => {
    await using keys = await createTestKeys();
    const adapter = redis({ url: server.url, keyPrefix: keys.keyPrefix });
    await adapter.open();
    const [first] = allStored(await adapter.store.append(sampleEvents(1)));
    const log = `${keys.keyPrefix}log`;
    await askRedis(server.url, 'XDEL', log, `${first!.place.position}-0`);
    expect(await adapter.store.get([sampleId(0), first!.place])).toEqual([undefined, undefined]);
    // Its id names nothing any more: it may come again.
    expect(await adapter.store.append(sampleEvents(1))).toMatchObject([{ status: 'stored' }]);
    await askRedis(server.url, 'HINCRBY', `${keys.keyPrefix}head`, 'head', '1');
    await askRedis(server.url, 'XADD', log, '3-0', 'about', 'somebody', 'body', 'else', 'searched', '');
    await expect(adapter.store.get([{ partition: 0, position: 3 }])).rejects.toMatchObject({ code: 'corrupt_record' });
    await adapter.close();
  });
});
