import { missingServer, startRedis } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';
import { askRedis } from '../../packages/redis/test/support/ask-redis.ts';
import { call } from './support/call.ts';
import { makeInstance, startInstance } from './support/start-instance.ts';
import { until } from './support/until.ts';

const event = { type: 'order.created', source: 'shop', payload: {} };
/** So that a call that finds no Redis is answered soon. */
const environment = { EVENT_MANAGER_DATABASE_QUERY_TIMEOUT_MS: '2000' };
const missing = await missingServer('redis');

describe.skipIf(missing !== undefined)('a service on a Redis that keeps everything', () => {
  it('says how durable it is, waits out a crash of the server, and stops when what it kept is gone', async () => {
    await using server = await startRedis();
    const service = await startInstance(server.url, { environment });
    const { url } = service;
    const health = async () => (await call('GET', `${url}/health`)).body;
    const { status, body } = await call('POST', `${url}/events`, event);
    expect(status).toBe(201);
    const adapter = { name: 'redis', status: 'ok', facts: { durability: 'synced', branch: 0 } };
    expect(await health()).toMatchObject({ status: 'ok', adapter });

    await server.stop('killed');
    const refused = await call('POST', `${url}/events`, event);
    expect([refused.status, refused.body.code]).toEqual([503, 'store_unavailable']);
    await until('health says so', 20_000, async () => (await health()).adapter.status === 'unavailable');
    expect(JSON.stringify(await health())).not.toMatch(/redis:\/\/|127\.0\.0\.1:6/);
    await server.start();
    await until('it is well again', 20_000, async () => (await health()).status === 'ok');
    expect((await call('GET', `${url}/events/${body.id}`)).status).toBe(200);
    expect((await call('POST', `${url}/events`, event)).status).toBe(201);

    await askRedis(server.url, 'FLUSHALL');
    await until('it takes nothing more', 20_000, async () => {
      const { status: answered, body: problem } = await call('POST', `${url}/events`, event);
      return answered === 503 && problem.code === 'store_failed';
    });
    expect((await health()).adapter).toMatchObject({ status: 'failed', reason: expect.stringContaining('is gone') });
    expect(service.log.join('\n')).not.toContain(new URL(server.url).password);
  });

  it('does not start on one that answers before a write is on its disk, unless it is told to', async () => {
    await using server = await startRedis({ settings: { appendfsync: 'everysec' } });
    const refused = makeInstance(server.url, { environment });
    await expect(refused.listening()).rejects.toThrow(/appendfsync always .*\[invalid_setting\]/s);
    const relaxed = { ...environment, EVENT_MANAGER_DATABASE_DURABILITY: 'relaxed' };
    const { url } = await startInstance(server.url, { environment: relaxed });
    expect((await call('POST', `${url}/events`, event)).status).toBe(201);
    expect((await call('GET', `${url}/health`)).body.adapter.facts.durability).toBe('relaxed');
    expect((await call('GET', `${url}/metrics`)).body).toMatch(/adapter="redis",durability="relaxed"/);
  });
});
