import { skipWithout, startRedis } from '@event-manager/testing/servers';
import { createClient } from 'redis';
import { expect, it } from 'vitest';
import { run } from '../support/run.ts';

/** Nobody listens there. */
const NOWHERE = 'postgres://user@127.0.0.1:1/none';

async function findings(redisUrl: string): Promise<unknown[]> {
  const environment = {
    EVENT_MANAGER_PORT: '0',
    EVENT_MANAGER_DATABASE_URL: NOWHERE,
    EVENT_MANAGER_REDIS_URL: redisUrl,
  };
  const { out } = await run(['doctor', '--json'], { environment });
  return (JSON.parse(out) as { findings: { check: string }[] }).findings.filter(({ check }) => check === 'redis');
}

it('looks at the Redis beside the database, and says whether the service would start with it', async (context) => {
  await skipWithout('redis', context);
  await using redis = await startRedis();
  expect(await findings(redis.url)).toMatchObject([
    { status: 'ok', detail: expect.stringMatching(/^127\.0\.0\.1:\d+: it answers$/) },
  ]);
  const wrong = await findings(redis.url.replace(new URL(redis.url).password, 'hidden-word'));
  expect(wrong).toMatchObject([
    { status: 'warning', detail: expect.stringMatching(/: Redis refuses \(WRONGPASS\)\.$/) },
  ]);
  expect(JSON.stringify(wrong)).not.toContain('hidden-word');
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.configSet('maxmemory-policy', 'allkeys-lru');
  client.destroy();
  expect(await findings(redis.url)).toMatchObject([
    { status: 'failed', detail: expect.stringMatching(/maxmemory-policy of Redis is allkeys-lru/) },
  ]);
  await redis.stop();
  expect(await findings(redis.url)).toMatchObject([
    { status: 'warning', detail: expect.stringMatching(/cannot be reached/) },
  ]);
});

it('says of a Redis that is to keep everything whether it keeps it on its disk', async (context) => {
  await skipWithout('redis', context);
  await using redis = await startRedis();
  const whole = { EVENT_MANAGER_PORT: '0', EVENT_MANAGER_ADAPTER: 'redis', EVENT_MANAGER_REDIS_URL: redis.url };
  const about = async (more: Readonly<Record<string, string>> = {}) => {
    const { out } = await run(['doctor', '--json'], { environment: { ...whole, ...more } });
    return (JSON.parse(out) as { findings: { check: string }[] }).findings.filter(({ check }) => check === 'redis');
  };
  expect(await about()).toMatchObject([{ status: 'ok', detail: expect.stringMatching(/what it keeps is synced$/) }]);
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.configSet('appendfsync', 'everysec');
  client.destroy();
  expect(await about()).toMatchObject([{ status: 'failed', detail: expect.stringMatching(/appendfsync always/) }]);
  expect(await about({ EVENT_MANAGER_DATABASE_DURABILITY: 'relaxed' })).toMatchObject([
    { status: 'ok', detail: expect.stringMatching(/what it keeps is relaxed$/) },
  ]);
  await redis.stop();
  expect(await about()).toMatchObject([{ status: 'failed', detail: expect.stringMatching(/cannot be reached/) }]);
});
