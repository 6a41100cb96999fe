import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventBus, createEventBusAdapter, EventBus, KafkaAdapter } from '@event-manager/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'event-bus-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dataDir, { recursive: true, force: true });
});

it('is in memory and has the defaults where the environment says nothing', async () => {
  await using bus = await createEventBus('my-service');
  expect(await bus.getStats()).toMatchObject({ adapter: 'memory', isHealthy: true, publishedEvents: 0 });
  const sources: string[] = [];
  const id = await bus.subscribe('orders', (event) => void sources.push(event.source));
  await bus.publish('orders', 'order.created', {});
  expect(sources).toEqual(['my-service']);
  expect((await bus.eventManager.getSubscription(id)).options).toMatchObject({ retry: { maxRetries: 3 } });
});

it('is what the environment says', async () => {
  vi.stubEnv('EVENT_BUS_ADAPTER', 'journal');
  vi.stubEnv('EVENT_BUS_DATA_DIR', dataDir);
  vi.stubEnv('EVENT_BUS_DEFAULT_MAX_RETRIES', '7');
  await using bus = await createEventBus();
  expect(await bus.getStats()).toMatchObject({ adapter: 'journal' });
  const id = await bus.subscribe('orders', () => {});
  expect((await bus.eventManager.getSubscription(id)).options).toMatchObject({ retry: { maxRetries: 7 } });
});

it('puts a journal beneath the memory', async () => {
  vi.stubEnv('EVENT_BUS_MEMORY_PERSIST', 'true');
  vi.stubEnv('EVENT_BUS_DATA_DIR', dataDir);
  {
    await using bus = await createEventBus();
    await bus.publish('orders', 'order.created', {});
  }
  await using bus = await createEventBus();
  expect(await bus.eventManager.getEvents()).toHaveLength(1);
});

it('prefers what is called with to the environment, and that to the defaults', async () => {
  const variables = {
    EVENT_BUS_ADAPTER: 'journal',
    EVENT_BUS_DATA_DIR: dataDir,
    EVENT_BUS_DEFAULT_MAX_RETRIES: '7',
    EVENT_BUS_DEFAULT_USE_DLQ: 'true',
  };
  const adapter = await createEventBusAdapter(
    { adapter: 'memory', defaultSubscriptionOptions: { maxRetries: 5 } },
    variables,
  );
  expect(adapter.name).toBe('memory');
  await using bus = new EventBus(adapter, 'my-service');
  const id = await bus.subscribe('orders', () => {});
  const { options } = await bus.eventManager.getSubscription(id);
  expect(options).toMatchObject({ retry: { maxRetries: 5 }, deadLetterTopic: 'dlq.orders' });
});

it('refuses Kafka, and says what there is', async () => {
  const refused = { code: 'not_supported', message: expect.stringContaining('memory, journal and redis') };
  await expect(createEventBusAdapter({ adapter: 'kafka' })).rejects.toMatchObject(refused);
  vi.stubEnv('EVENT_BUS_ADAPTER', 'kafka');
  await expect(createEventBus()).rejects.toMatchObject(refused);
  const make = () => new EventBus(new KafkaAdapter({ brokers: ['localhost:9092'] }), 'my-service');
  expect(make).toThrow(expect.objectContaining(refused));
});

it('refuses a wrong variable and a wrong call by their names', async () => {
  const setting = { code: 'invalid_setting', details: { setting: 'EVENT_BUS_DEFAULT_AUTO_ACK' } };
  await expect(createEventBusAdapter({}, { EVENT_BUS_DEFAULT_AUTO_ACK: 'ja' })).rejects.toMatchObject(setting);
  await expect(createEventBusAdapter({ adaptor: 'redis' } as object)).rejects.toThrow(/no option "adaptor"/);
  await expect(createEventBusAdapter({ adapter: 'toString' } as object)).rejects.toThrow(/adapter is one of memory/);
});

it('tells of a folder that cannot be opened at once', async () => {
  vi.stubEnv('EVENT_BUS_ADAPTER', 'journal');
  vi.stubEnv('EVENT_BUS_DATA_DIR', dataDir);
  await using _first = await createEventBus();
  await expect(createEventBus()).rejects.toMatchObject({ code: 'store_locked' });
});

it('leaves nothing open behind when it cannot be made', async () => {
  const configuration = { adapter: 'journal', dataDir } as const;
  const plugins = [{ path: './nothing.mjs' }];
  const adapter = await createEventBusAdapter(configuration, {});
  await expect(createEventBus('a', { adapter, plugins })).rejects.toMatchObject({ code: 'plugin_failed' });
  await using bus = await createEventBus('a', { adapter: await createEventBusAdapter(configuration, {}) });
  expect(await bus.isHealthy()).toBe(true);
});
