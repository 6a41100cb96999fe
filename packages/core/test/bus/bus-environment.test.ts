import { expect, it } from 'vitest';
import { readBusEnvironment, readKafkaEnvironment, readRedisEnvironment } from '../../src/bus/bus-environment.ts';

it('reads nothing out of an empty environment, nor out of empty variables', () => {
  const nothing = { memory: {}, defaultSubscriptionOptions: {} };
  expect(readBusEnvironment({})).toEqual(nothing);
  const empty = { EVENT_BUS_ADAPTER: '', EVENT_BUS_DATA_DIR: ' ', EVENT_BUS_DEFAULT_AUTO_ACK: '' };
  expect(readBusEnvironment(empty)).toEqual(nothing);
  expect(readRedisEnvironment({ REDIS_PASSWORD: '' })).toEqual({ host: 'localhost', port: 6379, db: 0, tls: false });
});

it('reads every variable', () => {
  expect(
    readBusEnvironment({
      EVENT_BUS_ADAPTER: 'Redis',
      EVENT_BUS_DATA_DIR: '/var/bus',
      EVENT_BUS_MEMORY_MAX_HISTORY: '0',
      EVENT_BUS_MEMORY_PERSIST: 'TRUE',
      EVENT_BUS_DEFAULT_MAX_RETRIES: '5',
      EVENT_BUS_DEFAULT_AUTO_ACK: 'false',
      EVENT_BUS_DEFAULT_USE_DLQ: '1',
      EVENT_BUS_NAME: 'of somebody else',
    }),
  ).toEqual({
    adapter: 'redis',
    dataDir: '/var/bus',
    memory: { maxHistorySize: 0, persistToDisk: true },
    defaultSubscriptionOptions: { maxRetries: 5, autoAck: false, useDLQ: true },
  });
  const redis = { REDIS_HOST: 'r', REDIS_PORT: '6380', REDIS_PASSWORD: 's', REDIS_DB: '3', REDIS_TLS: 'true' };
  expect(readRedisEnvironment(redis)).toEqual({ host: 'r', port: 6380, password: 's', db: 3, tls: true });
  const url = { REDIS_URL: 'redis://u', EVENT_BUS_REDIS_KEY_PREFIX: 'mine:' };
  expect(readRedisEnvironment({ ...redis, ...url })).toEqual({ url: 'redis://u', keyPrefix: 'mine:' });
  const kafka = {
    KAFKA_BROKERS: 'a:9092, b:9093',
    KAFKA_CLIENT_ID: 'api',
    KAFKA_SSL: 'true',
    KAFKA_CONNECTION_TIMEOUT: '1000',
    KAFKA_REQUEST_TIMEOUT: '2000',
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: 'u',
    KAFKA_SASL_PASSWORD: 'p',
  };
  expect(readKafkaEnvironment(kafka)).toEqual({
    brokers: ['a:9092', 'b:9093'],
    clientId: 'api',
    ssl: true,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' },
  });
});

const BUS = readBusEnvironment;
const REDIS = readRedisEnvironment;
const KAFKA = readKafkaEnvironment;

it.each([
  [BUS, 'EVENT_BUS_ADAPTER', 'sqlite'],
  [BUS, 'EVENT_BUS_ADAPTOR', 'redis'],
  [BUS, 'EVENT_BUS_DATADIR', './data'],
  [BUS, 'EVENT_BUS_DEFAULT_RETRIES', '3'],
  [BUS, 'EVENT_BUS_MEMORY_MAX_HISTORY', '-1'],
  [BUS, 'EVENT_BUS_MEMORY_MAX_HISTORY', '1e3'],
  [BUS, 'EVENT_BUS_MEMORY_PERSIST', 'maybe'],
  [BUS, 'EVENT_BUS_DEFAULT_MAX_RETRIES', '1001'],
  [BUS, 'EVENT_BUS_DEFAULT_AUTO_ACK', 'off'],
  [BUS, 'EVENT_BUS_DEFAULT_USE_DLQ', 'ja'],
  [REDIS, 'REDIS_PORT', '65536'],
  [REDIS, 'REDIS_PORT', 'redis'],
  [REDIS, 'REDIS_DB', '-1'],
  [REDIS, 'REDIS_TLS', 'hunter2'],
  [KAFKA, 'KAFKA_SSL', 'x'],
  [KAFKA, 'KAFKA_CONNECTION_TIMEOUT', '0'],
  [KAFKA, 'KAFKA_SASL_MECHANISM', 'oauth'],
])('refuses %s with its name and without its value', (read, name, value) => {
  const thrown = failureOf(() => read({ [name]: value }));
  expect(thrown).toMatchObject({ code: 'invalid_setting', details: { setting: name } });
  expect(thrown.message).toContain(name);
  if (value.length > 3 && value !== 'redis') expect(thrown.message).not.toContain(value);
});

it('asks for what goes with a mechanism', () => {
  const thrown = failureOf(() => KAFKA({ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u' }));
  expect(thrown).toMatchObject({ details: { setting: 'KAFKA_SASL_PASSWORD' } });
});

function failureOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new TypeError('Nothing was refused.');
}
