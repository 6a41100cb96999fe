import { createTestDatabase, missingServer, startRedis } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { call } from './support/call.ts';
import { makeInstance, startInstance } from './support/start-instance.ts';
import { until } from './support/until.ts';

const event = { type: 'order.created', source: 'shop', payload: {} };
const missing = (await missingServer('postgres')) ?? (await missingServer('redis'));
const health = async ({ url }: ServiceProcess) => (await call('GET', `${url}/health`)).body;
const metrics = async ({ url }: ServiceProcess) => (await call('GET', `${url}/metrics`)).body as string;

/** What it told of its store, the oldest first. */
async function told({ url }: ServiceProcess): Promise<unknown[]> {
  const { body } = await call('GET', `${url}/events?topic=${encodeURIComponent('$sys/store/#')}`);
  return body.data;
}

describe.skipIf(missing !== undefined)('a service with a Redis beside its database', () => {
  it('is degraded and ready while Redis is away, says so by every way, and is well by itself when it is back', async () => {
    await using redis = await startRedis();
    const database = await createTestDatabase();
    const environment = { REDIS_URL: redis.url, EVENT_MANAGER_REDIS_KEY_PREFIX: 'bus:' };
    const service = await startInstance(database.url, { environment });
    const { url } = service;
    const adapter = { name: 'postgres+redis', status: 'ok', facts: { redis: 'up' } };
    expect(await health(service)).toMatchObject({ status: 'ok', adapter });
    expect(await metrics(service)).toMatch(/^eventmanager_store_impaired 0$/m);

    await redis.stop('killed');
    await until('health says so', 10_000, async () => (await health(service)).status === 'degraded');
    const away = await health(service);
    expect(away).toMatchObject({
      reason: 'Redis cannot be reached.',
      adapter: { status: 'ok', impairment: { what: 'redis', since: expect.stringMatching(/^\d{4}-.*Z$/) } },
    });
    expect((await call('GET', `${url}/readyz`)).status).toBe(200);
    expect((await call('POST', `${url}/events`, event)).status).toBe(201);
    expect(await metrics(service)).toMatch(/^eventmanager_store_impaired 1$/m);
    await until('it was told', 10_000, async () => (await told(service)).length === 1);

    await redis.start();
    await until('it is well again', 10_000, async () => (await health(service)).status === 'ok');
    await until('both were told', 10_000, async () => (await told(service)).length === 2);
    const payload = { what: 'redis', instance: away.instance, since: away.adapter.impairment.since };
    expect(await told(service)).toMatchObject([
      { topic: '$sys/store/impaired', payload },
      { topic: '$sys/store/unimpaired', payload },
    ]);
    expect(service.log.join('\n') + JSON.stringify(away)).not.toContain(new URL(redis.url).password);
  });

  it('does not start with a Redis that throws keys away, and says what to change', async () => {
    await using redis = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
    const database = await createTestDatabase();
    const service = makeInstance(database.url, { environment: { EVENT_MANAGER_REDIS_URL: redis.url } });
    const words = /maxmemory-policy of Redis is allkeys-lru; it must be noeviction\. \[invalid_setting\]/;
    await expect(service.listening()).rejects.toThrow(words);
    expect(service.complaint).not.toContain(new URL(redis.url).password);
    expect(await service.exited).not.toBe(0);
  });
});
