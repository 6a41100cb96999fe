import { redis } from '@event-manager/redis';
import { sampleEvents } from '@event-manager/testing/conformance';
import { createTestKeys, type TestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { withAdapter } from '../support/on-server.ts';
import { withRedis } from '../support/with-redis.ts';

const opening = ({ url, keyPrefix }: TestKeys) => redis({ url, keyPrefix }).open();

await withRedis(() => {
  const refused = { code: 'unsupported_format', message: expect.stringContaining('another program') };

  it.each([
    ['SET', 'text'],
    ['HSET', 'field', 'value'],
  ])('takes no name that another program uses (%s)', async (command, ...values) => {
    await using keys = await createTestKeys();
    await askRedis(keys.url, command, `${keys.keyPrefix}head`, ...values);
    await expect(opening(keys)).rejects.toMatchObject(refused);
  });

  /** If a new store began there, it would give positions that are taken. */
  it('begins no store in what is left of one', async () => {
    await using keys = await createTestKeys();
    await withAdapter(keys, ({ store }) => store.append(sampleEvents(3)));
    await askRedis(keys.url, 'DEL', `${keys.keyPrefix}head`);
    await expect(opening(keys)).rejects.toMatchObject(refused);
    expect(await askRedis(keys.url, 'XLEN', `${keys.keyPrefix}log`)).toBe(3);
  });
});
