import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { redisBeside } from '@event-manager/redis';
import { createTestDatabase, createTestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { pause, until } from './support/until.ts';
import { withServers } from './support/with-servers.ts';

const CALLS = 64;
const ROUNDS = Number(process.env['CLEAN_STOP_ROUNDS'] ?? 3);

await withServers(() => {
  /** If this failed, every restart of an instance would have its last deliveries made once more. */
  it.each([
    ['by NOTIFY', false],
    ['by Redis', true],
  ])(
    'tells what became of the last deliveries when it stops, %s',
    async (_way, usesRedis) => {
      for (let round = 0; round < ROUNDS; round++) expect(await stopWhileCallsEnd(usesRedis)).toEqual([]);
    },
    120_000,
  );
});

/** The numbers of events that were handled twice, though nothing failed. */
async function stopWhileCallsEnd(usesRedis: boolean): Promise<number[]> {
  await using database = await createTestDatabase();
  const { url: redisUrl, keyPrefix } = await createTestKeys();
  const open = () => {
    const adapter = postgres({ url: database.url, maxConnections: 4 });
    return new EventManager({ adapter: usesRedis ? redisBeside(adapter, { url: redisUrl, keyPrefix }) : adapter });
  };
  const [owner, other] = [open(), open()];
  const times = new Map<number, number>();
  const ends: (() => void)[] = [];
  const request = { topic: '#', name: 'shared', options: { maxConcurrency: CALLS, timeoutMs: 60_000 } };
  const note = (number: unknown) => times.set(Number(number), (times.get(Number(number)) ?? 0) + 1);
  const { id } = await owner.subscribe({
    ...request,
    handler: async ({ payload }) => {
      note(payload['n']);
      // At once it would always be the idlest.
      await pause(1);
    },
  });
  const status = async () => (await owner.getSubscription(id)).status;
  await until(async () => (await status()).served, 'The first process serves');
  await other.subscribe({
    ...request,
    handler: async ({ payload }) => {
      note(payload['n']);
      await new Promise<void>((resolve) => ends.push(resolve));
    },
  });
  let published = 0;
  await until(async () => {
    const events = Array.from({ length: CALLS }, () => ({ type: 'a.b', source: 't', payload: { n: ++published } }));
    await owner.publishBatch(events);
    return ends.length === CALLS;
  }, 'All slots of the other one are taken');
  const closed = other.close();
  // By then it waits for these alone, which end one after the other.
  await pause(300);
  for (const end of ends) {
    end();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  await until(async () => {
    const { owed, inFlight, lag } = await status();
    return times.size === published && owed === 0 && inFlight === 0 && lag === 0;
  }, 'Everything');
  await owner.close();
  return [...times].flatMap(([number, count]) => (count > 1 ? [number] : []));
}
