import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { EventBus, InMemoryEventStore, serveBusHealth } from '@event-manager/core';
import { expect, it } from 'vitest';

async function asked(url: string, init?: RequestInit): Promise<[number, unknown]> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  return [answer.status, text === '' ? '' : JSON.parse(text)];
}

it('serves what a bus counts at a port of its own', async () => {
  await using bus = new EventBus();
  await using health = await serveBusHealth(bus, { port: 0 });
  await bus.subscribe('orders', () => {});
  await bus.publish('orders', 'order.created');
  const counted = { status: 'ok', adapter: 'memory', isHealthy: true, publishedEvents: 1, activeSubscriptions: 1 };
  const whole = { ...counted, metrics: expect.objectContaining({ eventsByType: { 'order.created': 1 } }) };
  expect(await asked(health.url)).toEqual([200, expect.objectContaining(whole)]);
  expect(await asked(`${health.url}?verbose`)).toEqual([200, expect.objectContaining(counted)]);
  expect(await asked(health.url, { method: 'HEAD' })).toEqual([200, '']);
  expect(await asked(health.url, { method: 'POST' })).toEqual([404, { code: 'route_not_found' }]);
  expect(await asked(new URL('/', health.url).href)).toEqual([404, { code: 'route_not_found' }]);
});

it('says 503 for numbers that are no JSON', async () => {
  await using bus = new EventBus();
  await using health = await serveBusHealth(bus, { port: 0 });
  const detach = bus.attachMetrics('part', () => ({ count: 1n }));
  expect(await asked(health.url)).toEqual([503, { status: 'unavailable', isHealthy: false, code: 'internal' }]);
  detach();
  expect(await asked(health.url)).toEqual([200, expect.anything()]);
});

it('says 503 when the bus is not well, and when it is closed', async () => {
  const store = new InMemoryEventStore();
  const bus = new EventBus({ eventStore: store, enableMetrics: false });
  await using health = await serveBusHealth(bus, { port: 0 });
  expect(await asked(health.url)).toEqual([200, expect.not.objectContaining({ metrics: expect.anything() })]);
  Object.defineProperty(store, 'failure', { value: new Error('the disk is gone') });
  expect(await asked(health.url)).toEqual([503, expect.objectContaining({ status: 'degraded', isHealthy: false })]);
  await bus.close();
  expect(await asked(health.url)).toEqual([503, { status: 'unavailable', isHealthy: false, code: 'closed' }]);
});

it('rejects for a port that is taken, and frees its own', async () => {
  await using bus = new EventBus();
  const first = await serveBusHealth(bus, { port: 0 });
  const port = Number(new URL(first.url).port);
  await expect(serveBusHealth(bus, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await first.close();
  await using again = await serveBusHealth(bus, { port });
  expect(again.url).toBe(first.url);
});

it('answers no web page whose name was made to mean this machine', async () => {
  await using bus = new EventBus();
  await using health = await serveBusHealth(bus, { port: 0 });
  const askedAs = async (host: string) => {
    const [answer] = (await once(get(health.url, { headers: { host } }), 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  expect(
    await Promise.all(['evil.example:8080', 'localhost.evil.example', '127.0.0.1@evil.example'].map(askedAs)),
  ).toEqual([403, 403, 403]);
  expect(await Promise.all(['localhost', '127.0.0.1:1', '[::1]'].map(askedAs))).toEqual([200, 200, 200]);
});

it('refuses options that it does not have', async () => {
  await using bus = new EventBus();
  await expect(serveBusHealth(bus, { prot: 0 } as object)).rejects.toThrow(/no option "prot"; it has host, port/);
});
