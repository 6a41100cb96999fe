import { redis } from '@event-manager/redis';
import { expect, it } from 'vitest';
import { Load } from '../../packages/postgres/test/support/load.ts';
import { askRedis } from '../../packages/redis/test/support/ask-redis.ts';
import { ROUNDS } from '../../packages/redis/test/support/figures.ts';
import { pause, until } from '../../packages/redis/test/support/until.ts';
import { withPrivateRedis } from '../../packages/redis/test/support/with-redis.ts';

const UP_MS = 500;
/** Longer than a call may take, so that calls are refused and not only late. */
const DOWN_MS = 1_500;
const COMMAND_TIMEOUT_MS = 1_000;
const RESUMED_MS_MAX = 3_000;

/** If it were otherwise, a crash of the server would lose what was acknowledged, or somebody would have to restart us after it. */
await withPrivateRedis((server) => {
  const open = async (keyPrefix: string, commandTimeoutMs?: number) => {
    const adapter = redis({ url: server.url, keyPrefix, durability: 'synced', commandTimeoutMs });
    await adapter.open();
    return adapter;
  };

  it(`loses nothing in ${ROUNDS} kills of a server that syncs each write, and resumes by itself`, {
    timeout: 60_000 + ROUNDS * 15_000,
  }, async () => {
    const adapter = await open('restarts:', COMMAND_TIMEOUT_MS);
    const load = new Load(adapter);
    const resumedMs: number[] = [];
    for (let restart = 0; restart < ROUNDS; restart++) {
      const before = load.acknowledged.size;
      await until(() => load.acknowledged.size > before, 'events are acknowledged');
      await pause(UP_MS);
      await server.stop('killed');
      await pause(DOWN_MS);
      expect(adapter.health().facts['lastError']).toBe('store_unavailable');
      await server.start();
      const readyMs = performance.now();
      await until(() => load.lastAcknowledgedMs > readyMs, 'events are acknowledged again');
      resumedMs.push(Math.round(load.lastAcknowledgedMs - readyMs));
    }
    await load.stop();
    const { branch } = adapter.health().facts;
    await adapter.close();
    const reader = await open('restarts:');
    const checked = await load.check(reader);
    await reader.close();
    const resumedMsMax = Math.max(...resumedMs);
    const figures = { restarts: ROUNDS, ...checked, refused: load.refused, resumedMsMax };
    process.stdout.write(`${JSON.stringify({ test: 'kills of Redis', ...figures })}\n`);
    expect(checked).toMatchObject({ lost: 0, doubles: 0 });
    expect(load.unexpected).toEqual([]);
    expect(load.refused['store_unavailable']).toBeGreaterThan(0);
    expect(resumedMsMax).toBeLessThanOrEqual(RESUMED_MS_MAX);
    // Nothing was missed, so nobody had to move the head.
    expect(branch).toBe(0);
  });

  it('goes on when the server is told to forget its scripts', async () => {
    const adapter = await open('scripts:');
    const load = new Load(adapter);
    for (let n = 0; n < 20; n++) {
      const before = load.acknowledged.size;
      await until(() => load.acknowledged.size > before, 'events are acknowledged');
      await askRedis(server.url, 'SCRIPT', 'FLUSH');
    }
    await load.stop();
    expect(await load.check(adapter)).toMatchObject({ lost: 0, doubles: 0 });
    expect([load.refused, load.unexpected]).toEqual([{}, []]);
    await adapter.close();
  });

  it('waits out a server that stands still, and is told so', { timeout: 60_000 }, async () => {
    const adapter = await open('still:', COMMAND_TIMEOUT_MS);
    const load = new Load(adapter);
    await until(() => load.acknowledged.size > 0, 'events are acknowledged');
    await server.signal('SIGSTOP');
    await until(() => adapter.health().status === 'unavailable', 'health says so');
    expect(adapter.health().reason).toBe('Redis does not answer.');
    await server.signal('SIGCONT');
    const before = load.acknowledged.size;
    await until(() => load.acknowledged.size > before, 'events are acknowledged again');
    await until(() => adapter.health().status === 'ok', 'health is well again');
    await load.stop();
    expect(await load.check(adapter)).toMatchObject({ lost: 0, doubles: 0 });
    expect(load.unexpected).toEqual([]);
    await adapter.close();
  });
});
