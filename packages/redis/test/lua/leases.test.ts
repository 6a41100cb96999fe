import { createTestKeys, type TestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { FORGET_THE_GONE } from '../../src/lua/commit-state.ts';
import { askRedis } from '../support/ask-redis.ts';
import { runScript, withAdapter } from '../support/on-server.ts';
import { until } from '../support/until.ts';
import { withRedis } from '../support/with-redis.ts';

const HOUR_MS = 3_600_000;
const TTL_MS = 300;

/** As if the clock of the server had been turned since: the end of the lease lies elsewhere by it. */
async function turn({ url, keyPrefix }: TestKeys, byMs: number): Promise<void> {
  const name = `${keyPrefix}leases`;
  const lease = String(await askRedis(url, 'HGET', name, 'r'));
  const [token, ends, ...rest] = lease.split(' ');
  await askRedis(url, 'HSET', name, 'r', [token, Number(ends) - byMs, ...rest].join(' '));
}

await withRedis(() => {
  /** If an end were taken as it is written, nobody would serve a subscription for an hour. */
  it('is waited for no longer than it lasts when the clock of the server is set back', async () => {
    await using keys = await createTestKeys();
    await withAdapter(keys, async ({ state }) => {
      await state.acquire(['r'], { owner: 'a', ttlMs: TTL_MS });
      await turn(keys, -HOUR_MS);
      expect(await state.acquire(['r'], { owner: 'b', ttlMs: TTL_MS })).toEqual([]);
      await until(async () => (await state.acquire(['r'], { owner: 'b', ttlMs: TTL_MS })).length === 1);
    });
  });

  /** If it were, two processes would settle the same debts. */
  it('is no leave to commit when the clock of the server was set forward', async () => {
    await using keys = await createTestKeys();
    await withAdapter(keys, async ({ state }) => {
      const [lease] = await state.acquire(['r'], { owner: 'a', ttlMs: HOUR_MS });
      const change = { kind: 'topic', key: 'a', value: 1, lease: lease! } as const;
      await state.commit([change]);
      await turn(keys, 2 * HOUR_MS);
      const [next] = await state.acquire(['r'], { owner: 'b', ttlMs: HOUR_MS });
      expect(next!.token).toBeGreaterThan(lease!.token);
      await expect(state.commit([change])).rejects.toMatchObject({ code: 'lease_lost', details: { resources: ['r'] } });
      expect(await state.renew([lease!], { ttlMs: HOUR_MS })).toEqual([lease]);
      await state.release([lease!]);
      expect(await state.holders(['r'])).toEqual(['b']);
    });
  });

  /** If all were looked at in one script, everybody would wait at each start of a process where subscriptions are many. */
  it('is forgotten at a start when its owner is long gone, some at a time', async () => {
    await using keys = await createTestKeys();
    const name = `${keys.keyPrefix}leases`;
    await withAdapter(keys, ({ state }) => state.acquire(['held'], { owner: 'a', ttlMs: HOUR_MS }));
    const gone = Array.from({ length: 3_000 }, (_, at) => [`r/${at}`, '1 1000 6000 somebody']);
    await askRedis(keys.url, 'HSET', name, ...gone.flat());
    expect(String(await runScript(keys, FORGET_THE_GONE, HOUR_MS, 'leases', 0))).not.toBe('0');
    expect(await askRedis(keys.url, 'HLEN', name)).toBeGreaterThan(1);
    await withAdapter(keys, async ({ state }) => expect(await state.holders(['held'])).toEqual(['a']));
    expect(await askRedis(keys.url, 'HKEYS', name)).toEqual(['held']);
  });
});
