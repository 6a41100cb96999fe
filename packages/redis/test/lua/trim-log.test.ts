import { sampleEvents } from '@event-manager/testing/conformance';
import { createTestKeys, type TestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { CLEAN_LOG, TRIM_LOG } from '../../src/lua/trim-log.ts';
import { askRedis } from '../support/ask-redis.ts';
import { runScript, withAdapter } from '../support/on-server.ts';
import { until } from '../support/until.ts';
import { withRedis } from '../support/with-redis.ts';

const EVENTS = 150;
const KIB = 1_024;

async function keptIn({ url, keyPrefix }: TestKeys): Promise<Record<string, unknown>> {
  return {
    log: await askRedis(url, 'XLEN', `${keyPrefix}log`),
    ids: await askRedis(url, 'HLEN', `${keyPrefix}ids`),
    flow: await askRedis(url, 'ZCARD', `${keyPrefix}flow:all`),
  };
}

await withRedis(() => {
  const appended = (keys: TestKeys, more: Parameters<typeof sampleEvents>[2]) =>
    withAdapter(keys, ({ store }) => store.append(sampleEvents(EVENTS, 0, more)));

  /** If a flow went at once, everybody would wait while a million positions go. */
  it('removes of a flow what goes from the log in the same step, and no more', async () => {
    await using keys = await createTestKeys();
    await appended(keys, { correlationId: 'all' });
    await runScript(keys, TRIM_LOG, EVENTS);
    expect(await runScript(keys, CLEAN_LOG, 100)).toBe(1);
    const left = EVENTS - 100;
    expect(await keptIn(keys)).toEqual({ log: left, ids: left, flow: left });
  });

  /** If it went by their number alone, a step might hold a quarter of a gigabyte. */
  it('takes fewer of large events, and goes on at the next start where it was interrupted', async () => {
    await using keys = await createTestKeys();
    await appended(keys, { correlationId: 'all', payload: 'x'.repeat(100 * KIB) });
    await runScript(keys, TRIM_LOG, EVENTS - 1);
    expect(await runScript(keys, CLEAN_LOG, 1_000)).toBe(1);
    const { log } = await keptIn(keys);
    expect(log).toBeGreaterThan(0);
    expect(log).toBeLessThan(EVENTS);
    await withAdapter(keys, async () => {
      await until(async () => Number((await keptIn(keys))['log']) === 1, 'the rest went');
    });
    expect(await keptIn(keys)).toEqual({ log: 1, ids: 1, flow: 1 });
  });
});
