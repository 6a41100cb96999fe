/**
 * The blocks about adapters in the document of the pluggable event bus. Its servers are our own, with a password; Kafka is refused
 * as the bus says it is.
 */
import { createEventBusAdapter, EventBus, InMemoryAdapter, KafkaAdapter } from '@event-manager/core';
import { RedisAdapter } from '@event-manager/redis';
import { createTestKeys, skipWithout, startRedis } from '@event-manager/testing/servers';
import { describe, expect, it } from 'vitest';

describe('Configuration', () => {
  it('Environment Variables', async () => {
    const printed = {
      EVENT_BUS_ADAPTER: 'memory',
      EVENT_BUS_MEMORY_MAX_HISTORY: '1000',
      EVENT_BUS_MEMORY_PERSIST: 'false',
      REDIS_HOST: 'localhost',
      REDIS_PORT: '6379',
      REDIS_PASSWORD: '',
      REDIS_DB: '0',
      REDIS_TLS: 'false',
      KAFKA_BROKERS: 'localhost:9092,localhost:9093',
      KAFKA_CLIENT_ID: 'jellos-api',
      KAFKA_SSL: 'false',
      KAFKA_CONNECTION_TIMEOUT: '30000',
      KAFKA_REQUEST_TIMEOUT: '30000',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'user',
      KAFKA_SASL_PASSWORD: 'pass',
      EVENT_BUS_DEFAULT_MAX_RETRIES: '3',
      EVENT_BUS_DEFAULT_AUTO_ACK: 'true',
      EVENT_BUS_DEFAULT_USE_DLQ: 'false',
    };
    const adapter = await createEventBusAdapter({}, printed);
    expect(adapter).toBeInstanceOf(InMemoryAdapter);
    expect(adapter).toMatchObject({ name: 'memory', maxHistorySize: 1_000 });
    // Each value is read where its adapter is chosen: a wrong one is refused by its name.
    const redis = createEventBusAdapter({}, { ...printed, EVENT_BUS_ADAPTER: 'redis', REDIS_PORT: 'many' });
    await expect(redis).rejects.toMatchObject({ code: 'invalid_setting', details: { setting: 'REDIS_PORT' } });
    for (const name of ['KAFKA_SSL', 'KAFKA_CONNECTION_TIMEOUT', 'KAFKA_REQUEST_TIMEOUT', 'KAFKA_SASL_MECHANISM']) {
      const kafka = createEventBusAdapter({}, { ...printed, EVENT_BUS_ADAPTER: 'kafka', [name]: 'wrong' });
      await expect(kafka).rejects.toMatchObject({ code: 'invalid_setting', details: { setting: name } });
    }
    const kafka = createEventBusAdapter({}, { ...printed, EVENT_BUS_ADAPTER: 'kafka' });
    await expect(kafka).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('Programmatic Configuration', async (context) => {
    await skipWithout('redis', context);
    await using server = await startRedis();
    const { hostname, port, password } = new URL(server.url);
    // Create with custom config
    const adapter = await createEventBusAdapter({
      adapter: 'redis',
      redis: {
        host: hostname,
        port: Number(port),
        password,
      },
      defaultSubscriptionOptions: {
        maxRetries: 5,
        useDLQ: true,
      },
    });

    const eventBus = new EventBus(adapter, 'my-service');
    const id = await eventBus.subscribe('orders', () => {});
    const { options } = await eventBus.eventManager.getSubscription(id);
    expect(options).toMatchObject({ retry: { maxRetries: 5 }, useDLQ: true });
    await eventBus.close();
  });
});

describe('Adapters', () => {
  it('InMemory Adapter', async () => {
    const adapter = new InMemoryAdapter({
      maxHistorySize: 1000, // Keep last 1000 events
      persistToDisk: false,
    });
    await using eventBus = new EventBus(adapter);
    let isDelivered = false;
    await eventBus.subscribe('a', () => {
      isDelivered = true;
    });
    await eventBus.publish('a', 'b', {});
    // "Synchronous event delivery", "Event history for replay and testing".
    expect(isDelivered).toBe(true);
    expect(adapter.getHistory()).toHaveLength(1);
  });

  it('Redis Adapter', async (context) => {
    await skipWithout('redis', context);
    await using keys = await createTestKeys();
    const { hostname, port, password } = new URL(keys.url);
    const adapter = new RedisAdapter({
      host: hostname,
      port: Number(port),
      password,
      db: 0,
      tls: false,
      keyPrefix: keys.keyPrefix,
    });
    await using eventBus = new EventBus(adapter);
    const received: unknown[] = [];
    await eventBus.subscribe('a', (event) => received.push(event.payload));
    await eventBus.subscribe('a', (event) => received.push(event.payload));
    await eventBus.publish('a', 'b', { n: 1 });
    await eventBus.settled();
    // "Multiple subscribers per topic".
    expect(received).toEqual([{ n: 1 }, { n: 1 }]);
  });

  it('Kafka Adapter', async () => {
    const kafka = {
      brokers: ['kafka1:9092', 'kafka2:9092'],
      clientId: 'jellos-api',
      ssl: true,
      sasl: {
        mechanism: 'scram-sha-512',
        username: 'user',
        password: 'pass',
      },
    } as const;
    const make = () => new KafkaAdapter(kafka);
    expect(make).toThrow('There is no adapter for Kafka yet');
    await expect(createEventBusAdapter({ adapter: 'kafka', kafka })).rejects.toThrow(
      'There is no adapter for Kafka yet',
    );
  });
});

describe('Testing', () => {
  it('Integration Tests with Testcontainers: with a server of our own', async (context) => {
    await skipWithout('redis', context);
    // Start Redis container
    const container = await startRedis();
    const { hostname, port, password } = new URL(container.url);

    const adapter = new RedisAdapter({
      host: hostname,
      port: Number(port),
      password,
    });

    // Run tests...
    const eventBus = new EventBus(adapter);
    await eventBus.publish('test.topic', 'test.event', { data: 'test' });
    expect(await eventBus.eventManager.getEvents({ topic: 'test.topic' })).toHaveLength(1);
    await eventBus.close();

    await container.stop();
  });
});
