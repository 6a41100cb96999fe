import { redis } from '@event-manager/redis';
import { FaultProxy, SeededChance } from '@event-manager/testing';
import { allStored, sampleEvents } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { Load } from '../../packages/postgres/test/support/load.ts';
import { readAll } from '../../packages/postgres/test/support/read-all.ts';
import { pause, until } from '../../packages/redis/test/support/until.ts';
import { withRedis } from '../../packages/redis/test/support/with-redis.ts';

const IS_FULL = process.env['REDIS_FAULTS'] === 'full';
const CUTS = IS_FULL ? 2_000 : 100;
const ENDS = IS_FULL ? 2_000 : 50;
/** How the answers to an append and to a commit begin; by that time the server has done what was asked. */
const ANSWERS = ['*4\r\n:', '[{"'];
const TURNS_MAX = 13;
const COMMAND_TIMEOUT_MS = 1_000;

/** If an answer that is lost were taken for a failure, events would be there twice; if for a success, some would not be there. */
await withRedis((server) => {
  it(`loses nothing and doubles nothing when ${CUTS} answers are cut off`, {
    timeout: 60_000 + 200 * CUTS,
  }, async () => {
    let cuts = 0;
    const figures = await publishAndCommit(server.url, CUTS, async (proxy) => {
      let isCut = false;
      proxy.cutWhen((direction, bytes) => {
        if (isCut || direction === 'up' || !ANSWERS.some((answer) => bytes.includes(answer))) return false;
        isCut = true;
        cuts++;
        return true;
      });
    });
    expect(cuts).toBe(CUTS);
    process.stdout.write(`${JSON.stringify({ test: 'answers of Redis cut off', cuts, ...figures })}\n`);
  });

  it(`nor when ${ENDS} connections end anywhere on the way there and back`, {
    timeout: 60_000 + 200 * ENDS,
  }, async () => {
    const chance = new SeededChance(7);
    const figures = await publishAndCommit(server.url, ENDS, async (proxy) => {
      for (let left = chance.integer(TURNS_MAX); left > 0; left--) await new Promise(setImmediate);
      proxy.reset();
    });
    process.stdout.write(`${JSON.stringify({ test: 'connections cut anywhere', cuts: ENDS, ...figures })}\n`);
  });

  it('nor when nothing passes for a while and nobody is told', { timeout: 60_000 }, async () => {
    await using keys = await createTestKeys();
    await using proxy = await FaultProxy.start(server.url);
    const adapter = redis({ url: proxy.url, keyPrefix: keys.keyPrefix, commandTimeoutMs: COMMAND_TIMEOUT_MS });
    await adapter.open();
    const load = new Load(adapter);
    for (const direction of ['up', 'down'] as const) {
      const before = load.acknowledged.size;
      await until(() => load.acknowledged.size > before, 'events are acknowledged');
      proxy.set({ blackHole: true }, direction);
      await until(() => adapter.health().status === 'unavailable', 'health says so');
      await pause(COMMAND_TIMEOUT_MS);
      // What was held arrives after what was asked again.
      proxy.heal();
      const held = load.acknowledged.size;
      await until(() => load.acknowledged.size > held, 'events are acknowledged again');
    }
    await load.stop();
    expect(await load.check(adapter)).toMatchObject({ lost: 0, doubles: 0 });
    expect(load.unexpected).toEqual([]);
    expect(load.refused['store_unavailable']).toBeGreaterThan(0);
    await adapter.close();
  });
});

/**
 * Appends and commits in turn, and strikes once while each is under way. Somebody else appends meanwhile: positions cannot simply
 * be counted on.
 */
async function publishAndCommit(url: string, times: number, strike: (proxy: FaultProxy) => Promise<void>) {
  await using keys = await createTestKeys();
  await using proxy = await FaultProxy.start(url);
  const struck = redis({ url: proxy.url, keyPrefix: keys.keyPrefix });
  const other = redis({ url, keyPrefix: keys.keyPrefix });
  await struck.open();
  await other.open();
  const acknowledged: number[] = [];
  let revision = 0;
  for (let n = 0; n < times; n++) {
    const striking = strike(proxy);
    if (n % 2 === 0) {
      const appends = [struck.store.append(sampleEvents(3, 4 * n)), other.store.append(sampleEvents(1, 4 * n + 3))];
      const results = (await Promise.all(appends)).flat();
      acknowledged.push(...allStored(results).map(({ place }) => place.position));
    } else {
      // Each expects the revision of the one before: one that took effect twice would make the next a conflict.
      const next = await struck.state.commit([{ kind: 'topic', key: 'a', value: n, ifRevision: revision }]);
      expect(next).toBe(revision + 1);
      revision = next;
    }
    await striking;
  }
  proxy.heal();
  const records = await readAll(other.store);
  const doubles = records.length - new Set(records.map(({ id }) => id)).size;
  const kept = new Set(records.map(({ place }) => place.position));
  const lost = acknowledged.filter((position) => !kept.has(position)).length;
  expect(records.map(({ place }) => place.position)).toEqual(acknowledged.toSorted((a, b) => a - b));
  expect([lost, doubles]).toEqual([0, 0]);
  expect(await other.state.get('topic', ['a'])).toMatchObject([{ revision }]);
  await struck.close();
  await other.close();
  return { events: records.length, commits: revision, lost, doubles };
}
